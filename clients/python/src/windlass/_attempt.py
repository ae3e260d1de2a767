"""One attempt, from its claim to what is told of it. All of it happens in the loop of the engine, apart from the handler:
nothing that a handler does can keep its lease from being extended."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import logging
import threading
import time
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from . import _calls
from ._http import Call, pause
from ._spans import read_instant, read_span
from .asks import Json, NewJob
from .context import AsyncContext, CancelReason, Context
from .errors import (
    Cancelled,
    Forbidden,
    Invalid,
    LeaseLost,
    NotFound,
    NotRunning,
    Problem,
    TooLarge,
    Unauthorized,
)
from .outcomes import told, verdict_of_error, verdict_of_result
from .shapes import Enqueued

if TYPE_CHECKING:
    from ._engine import Engine

T = TypeVar("T")
Verdict = dict[str, Json]

logger = logging.getLogger("windlass")

LINES_MAX = 10_000
"""Log lines that wait to be stored. Beyond it the oldest are dropped: a log must not take a worker's memory."""

LINES_AT_ONCE = 500
LINES_GATHER_SECONDS = 0.5
"""How long lines are gathered before they are stored."""

FENCE_PART = 0.9
"""The part of a lease after which it is taken for lost. The rest is for clocks that run apart, and for the handler to stop."""

OVER = (LeaseLost, NotRunning, NotFound)
"""What an attempt is answered that has ended."""


class OpenAttempt:
    """An attempt that runs.

    Attributes:
        lease: What the claim gave.
        reason: Why the handler was asked to stop, if it was. The first reason stays.
        lost: Whether the lease is lost, or may be: then nothing is told of the attempt any more.
    """

    def __init__(self, engine: Engine, lease: dict[str, Any], server_time: str) -> None:
        now, job = time.monotonic(), lease["job"]
        server_now = read_instant(server_time)
        self.lease = lease
        self.reason: CancelReason | None = None
        self.lost = False
        self.outcome: str | None = None
        self._engine = engine
        self._token: str = lease["token"]
        self._held_until = now + (read_instant(lease["lease_until"]) - server_now).total_seconds()
        self._asked = asyncio.Event()
        self._stop: Callable[[], None] = lambda: None
        self._cancel_task: Callable[[], None] = lambda: None
        self._in_vain = False
        self._telling: asyncio.Task[None] | None = None
        self._lines: deque[dict[str, Json]] = deque(maxlen=LINES_MAX)
        self._flushing: asyncio.Task[None] | None = None
        timeout = read_span(job["timeout"]).total_seconds() if "timeout" in job else None
        deadline = (read_instant(job["deadline"]) - server_now).total_seconds() if "deadline" in job else None
        ends = [(seconds, why) for seconds, why in ((timeout, "timed_out"), (deadline, "deadline")) if seconds is not None]
        self._ends: tuple[float, Any] | None = min(ends) if ends else None

    def __repr__(self) -> str:
        return f"job {self.lease['job']['id']} ({self.lease['job']['kind']})"

    async def attend(self) -> None:
        """Runs the handler, keeps the lease, and tells how it ended."""
        running = asyncio.wrap_future(self._start())
        keeping = asyncio.create_task(self._keep())
        watching = asyncio.create_task(self._watch())
        try:
            either: set[asyncio.Future[Any]] = {running, watching}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await self.give_up()
                keeping.cancel()
            await self._tell_once(await running)
        finally:
            keeping.cancel()
            watching.cancel()

    async def give_up(self) -> None:
        """Tells how it ended of an attempt whose handler does not. Whatever the handler does then is of no account. Where its end
        is being told already, this waits until it has been."""
        await self._tell_once({"outcome": "interrupted"})

    def ask(self, reason: CancelReason) -> None:
        """Asks the handler to stop."""
        if self.reason is None:
            self.reason = reason
            self._asked.set()
            self._stop()

    # The handler.

    def _start(self) -> concurrent.futures.Future[Verdict]:
        handler = self._engine.handler(self.lease)
        ended: concurrent.futures.Future[Verdict] = concurrent.futures.Future()
        if handler is None:
            # Nothing is to be done when that is decided.
            ended.set_result({"outcome": "succeeded"})
        elif inspect.iscoroutinefunction(handler):
            return asyncio.run_coroutine_threadsafe(self._run_async(handler), self._engine.handlers_loop)
        else:
            name = f"windlass-{self.lease['job']['kind']}"
            # Not of a pool: one that never ends must not keep the process from ending.
            threading.Thread(target=self._run_blocking, args=(handler, ended), name=name, daemon=True).start()
        return ended

    def _run_blocking(self, handler: Callable[[Context], Json], ended: concurrent.futures.Future[Verdict]) -> None:
        try:
            context = Context(self)
            self._listens(context.cancelled.set)
            verdict = verdict_of_result(handler(context))
        except BaseException as error:  # noqa: BLE001  (whatever a handler raises is its outcome)
            verdict = verdict_of_error(error)
        # Cancelled where the worker has stopped without it: nobody waits for its end any more.
        if ended.set_running_or_notify_cancel():
            ended.set_result(verdict)

    async def _run_async(self, handler: Callable[[AsyncContext], Coroutine[Any, Any, Json]]) -> Verdict:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel_task = lambda: soon(loop, task.cancel)
        # Either `_watch` sees what to call, or this sees that it is too late to begin.
        if self._in_vain:
            return {"outcome": "interrupted"}
        try:
            context = AsyncContext(self)
            self._listens(lambda: soon(loop, context.cancelled.set))
            return verdict_of_result(await handler(context))
        except asyncio.CancelledError:
            return {"outcome": "interrupted"}
        except BaseException as error:  # noqa: BLE001
            return verdict_of_error(error)

    def _listens(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        # Either `ask` sees what to call, or this sees that it was asked.
        if self.reason is not None:
            stop()

    # What is waited for beside it.

    async def _watch(self) -> None:
        """Returns once the handler was asked to stop in vain, and its end is to be told without it."""
        seconds, why = self._ends or (None, None)
        try:
            await asyncio.wait_for(self._asked.wait(), seconds)
        except asyncio.TimeoutError:
            assert why is not None
            self.ask(why)
        await asyncio.sleep(self._engine.grace)
        self._in_vain = True
        self._cancel_task()
        if self.reason in ("cancelled", "lease_lost"):
            await asyncio.Event().wait()

    async def _keep(self) -> None:
        """Extends the lease, until it is lost or the attempt is over."""
        every = self._engine.lease / 3
        tries, delay = 0, every
        while True:
            await asyncio.sleep(max(0.0, min(delay, self._fence_at() - time.monotonic())))
            begun = time.monotonic()
            try:
                held = await asyncio.wait_for(self._engine.send(_calls.extend(self._token)), every)
            except OVER:
                return self._lose("the server has given it up")
            except (Problem, asyncio.TimeoutError) as error:
                self._engine.failed(error)
                if time.monotonic() >= self._fence_at():
                    return self._lose("its lease could not be extended in time")
                delay = pause(tries)
                tries += 1
                continue
            left = read_instant(held["lease_until"]) - read_instant(held["server_time"])
            self._held_until = begun + left.total_seconds()
            tries, delay = 0, every
            if held["cancel_requested"]:
                self.ask("cancelled")

    def _fence_at(self) -> float:
        return self._held_until - self._engine.lease * (1 - FENCE_PART)

    def _lose(self, why: str) -> None:
        if self._telling is None:
            self.lost = True
            logger.warning("the lease of %r is lost: %s; its handler is asked to stop", self, why)
            self.ask("lease_lost")

    # What is told of it.

    def _considered(self, verdict: Verdict) -> Verdict:
        """What is told, in view of whether the handler was asked to stop."""
        if self.reason in ("timed_out", "deadline"):
            timeout = self.lease["job"].get("timeout")
            message = f"took longer than its timeout of {timeout}" if self.reason == "timed_out" else ""
            said = verdict.get("error", {}).get("message")
            error = {"message": message or "did not finish by its deadline", "chain": [said] if said else []}
            return {"outcome": "timed_out", "error": error}
        if self.reason == "shutdown" and verdict["outcome"] == "failed":
            # That it failed is most likely due to being stopped, and costs the job nothing.
            return {"outcome": "interrupted"}
        return verdict

    async def _tell_once(self, verdict: Verdict) -> None:
        """Tells its end, unless that is done already or under way. Returns when it has been told."""
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell(self._considered(verdict)))
        await self._telling

    async def _tell(self, verdict: Verdict) -> None:
        if self.lost:
            logger.warning("%r: its result is dropped, because the lease was lost", self)
            return
        await self._flush()
        tries = 0
        while True:
            try:
                await self._engine.send(_calls.settle(self._token, verdict))
            except NotRunning:
                pass  # By an earlier try, whose answer got lost.
            except (LeaseLost, NotFound, Cancelled, Unauthorized, Forbidden) as error:
                logger.warning("%r: its result is dropped: %s", self, error)
                return
            except (Invalid, TooLarge, ValueError) as error:
                if "result" not in verdict:
                    logger.error("%r: its end cannot be told: %s", self, error)
                    return
                verdict = {"outcome": "failed", "error": told(error)}
                continue
            except Problem as error:
                self._engine.failed(error)
                if time.monotonic() > self._held_until:
                    logger.warning("%r: its result is dropped: the server was away for too long", self)
                    return
                await asyncio.sleep(pause(tries))
                tries += 1
                continue
            self.outcome = verdict["outcome"]
            return

    def log(self, message: str, level: str) -> None:
        """Adds a line. From any thread."""
        self._lines.append({"level": level, "message": message})
        soon(self._engine.loop, self._flush_soon)

    def _flush_soon(self) -> None:
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._gather())

    async def _gather(self) -> None:
        await asyncio.sleep(LINES_GATHER_SECONDS)
        await self._flush()

    async def _flush(self) -> None:
        while self._lines and not self.lost:
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), LINES_AT_ONCE))]
            try:
                await self._say(_calls.log(self._token, lines))
            except Problem as error:
                logger.warning("%r: %d of its log lines are dropped: %s", self, len(lines), error)

    # What its handler says and asks.

    async def progress(self, percent: int, message: str | None) -> None:
        body = {"percent": percent} if message is None else {"percent": percent, "message": message}
        try:
            await self._engine.send(_calls.of_lease(self._token, "progress", {"progress": body}))
        except OVER as error:
            self._lose(str(error))
            raise
        except Cancelled:
            self.ask("cancelled")
        except Invalid:
            raise
        except Problem as error:
            self._engine.failed(error)

    async def save_checkpoint(self, value: Json) -> None:
        try:
            await self._say(_calls.of_lease(self._token, "checkpoint", {"checkpoint": value}))
        except Cancelled:
            self.ask("cancelled")

    async def enqueue(self, jobs: list[NewJob]) -> tuple[Enqueued, ...]:
        return await self._say(_calls.enqueue_children(self._token, jobs))

    async def _say(self, call: Call[T]) -> T:
        """Sends a call for as long as the lease holds."""
        tries = 0
        while True:
            try:
                return await self._engine.send(call)
            except OVER as error:
                self._lose(str(error))
                raise
            except Problem as error:
                self._engine.failed(error)
                delay = pause(tries, error)
                permanent = not self._engine.is_transient(error)
                if permanent or self.lost or time.monotonic() + delay > self._fence_at():
                    raise
                await asyncio.sleep(delay)
                tries += 1

    def block_on(self, act: Coroutine[Any, Any, T]) -> T:
        """Does something in the engine's loop, and waits for it in a thread of a handler."""
        return self._hand_over(act).result()

    async def wait_for(self, act: Coroutine[Any, Any, T]) -> T:
        """Does something in the engine's loop, and waits for it in the loop of a handler."""
        return await asyncio.wrap_future(self._hand_over(act))

    def _hand_over(self, act: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        try:
            return asyncio.run_coroutine_threadsafe(act, self._engine.loop)
        except RuntimeError as error:
            act.close()
            raise LeaseLost("the worker has stopped") from error


def soon(loop: asyncio.AbstractEventLoop, act: Callable[[], Any]) -> None:
    """Has the loop of another thread do something, if it still runs."""
    try:
        loop.call_soon_threadsafe(act)
    except RuntimeError:
        logger.debug("a loop has ended before it was told something")
