"""The engine of a worker: claims jobs into free slots, and attends to each until it is told how it ended. It has a thread and an
event loop of its own, in which no handler runs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

from . import _calls
from ._attempt import OpenAttempt, soon
from ._http import ANSWER_SECONDS, Call, pause
from .aio import AsyncClient
from .asks import Json
from .errors import (
    Conflict,
    Forbidden,
    Incompatible,
    Internal,
    Invalid,
    Problem,
    RateLimited,
    Unauthorized,
    Unavailable,
    Unknown,
)

T = TypeVar("T")

logger = logging.getLogger("windlass")

CLAIM_WAIT = 25.0
"""Seconds for which a claim waits for work: below what proxies on the way give an answer."""

SETTLE_SECONDS = 10.0
"""How long the ends of the last attempts of a worker that stops may take to be told."""


@dataclass(frozen=True)
class Settings:
    """What a worker was told when it was made. Spans are in seconds."""

    slots: int
    lease: float
    drain_time: float
    grace: float
    claim: dict[str, Json]
    handlers: dict[tuple[str, str], Callable[..., Any]]
    """By kind, and by what they are for: `run`, `accept`, `decline` or `cleanup`."""


class Engine:
    """Runs a worker from `start` to the end of what it returns."""

    loop: asyncio.AbstractEventLoop

    def __init__(self, client: AsyncClient, settings: Settings, handlers_loop: asyncio.AbstractEventLoop) -> None:
        self.handlers_loop = handlers_loop
        self.lease = settings.lease
        self.grace = settings.grace
        self._client = client
        self._settings = settings
        self._attempts: dict[asyncio.Task[None], OpenAttempt] = {}
        self._outcomes: Counter[str] = Counter()
        self._away = False
        self._done: concurrent.futures.Future[Counter[str]] = concurrent.futures.Future()
        self._ready = threading.Event()
        self._stop: asyncio.Event
        self._freed: asyncio.Event

    def start(self) -> concurrent.futures.Future[Counter[str]]:
        """Starts it. What is returned is done once it has stopped: how often attempts ended how."""
        threading.Thread(target=self._thread, name="windlass-engine", daemon=True).start()
        self._ready.wait()
        return self._done

    def stop(self) -> None:
        """Asks it to stop. From any thread; also from a signal handler."""
        soon(self.loop, self._stop.set)

    def handler(self, lease: dict[str, Any]) -> Callable[..., Any] | None:
        """The function for a lease; None where a decision or a cleanup has none, and nothing is to be done."""
        settles = lease.get("settles")
        use = settles["ruling"]["decision"] if settles else lease["job"]["phase"]
        return self._settings.handlers.get((lease["job"]["kind"], use))

    async def send(self, call: Call[T]) -> T:
        """Sends a call once."""
        answer = await self._client._once(call)
        if self._away:
            self._away = False
            logger.info("the server answers again")
        return answer

    def failed(self, error: Problem | asyncio.TimeoutError) -> None:
        """Says so once, however often it is noticed until the server answers again."""
        if not self._away:
            self._away = True
            logger.warning("the server does not do what is asked, and is asked again: %s", error or "no answer")

    @staticmethod
    def is_transient(error: Problem) -> bool:
        """Whether the same may be done a little later."""
        return isinstance(error, (Unavailable, Unknown, RateLimited, Conflict, Internal))

    def _thread(self) -> None:
        try:
            self._done.set_result(asyncio.run(self._main()))
        except BaseException as error:  # noqa: BLE001  (told to who waits for the end)
            self._ready.set()
            self._done.set_exception(error)

    async def _main(self) -> Counter[str]:
        self.loop = asyncio.get_running_loop()
        self._stop, self._freed = asyncio.Event(), asyncio.Event()
        self._ready.set()
        claiming = asyncio.create_task(self._claim())
        stopping = asyncio.create_task(self._stop.wait())
        async with self._client:
            await asyncio.wait({claiming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            refused = claiming.exception() if claiming.done() else None
            claiming.cancel()
            stopping.cancel()
            await self._drain()
        if refused is not None:
            raise refused
        return self._outcomes

    # Claims.

    async def _claim(self) -> None:
        """Claims for ever. Ends with what nobody but a person can mend."""
        tries = 0
        while True:
            free = self._settings.slots - len(self._attempts)
            if free == 0:
                self._freed.clear()
                await self._freed.wait()
                continue
            try:
                answer = await self.send(_calls.claim({**self._settings.claim, "limit": free}, CLAIM_WAIT))
            except (Invalid, Unauthorized, Forbidden, Incompatible):
                raise
            except Problem as error:
                self.failed(error)
                await asyncio.sleep(pause(tries, error))
                tries += 1
                continue
            tries = 0
            for lease in answer["leases"]:
                self._attend(OpenAttempt(self, lease, answer["server_time"]))

    def _attend(self, attempt: OpenAttempt) -> None:
        task = asyncio.create_task(attempt.attend())
        self._attempts[task] = attempt
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        attempt = self._attempts.pop(task)
        self._freed.set()
        if not task.cancelled() and task.exception() is not None:
            logger.error("%r was not attended to", attempt, exc_info=task.exception())
        self._outcomes[attempt.outcome or "dropped"] += 1

    # The end.

    async def _drain(self) -> None:
        """Waits for what runs, asks it to stop when it has had its time, and gives back what does not. What is being told of an
        attempt meanwhile is waited for, too."""
        await self._wait(self._settings.drain_time)
        for attempt in self._attempts.values():
            attempt.ask("shutdown")
        # A little more than the grace, after which each attempt is given back by itself.
        await self._wait(self.grace + min(1.0, self.grace / 2))
        left = list(self._attempts.items())
        giving_back = [asyncio.create_task(attempt.give_up()) for _, attempt in left]
        if giving_back:
            await asyncio.wait(giving_back, timeout=min(SETTLE_SECONDS, ANSWER_SECONDS))
        for task in [*giving_back, *(task for task, _ in left)]:
            task.cancel()
        await asyncio.gather(*giving_back, *(task for task, _ in left), return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        if self._attempts:
            await asyncio.wait(set(self._attempts), timeout=seconds)
