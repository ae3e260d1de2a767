"""The worker: runs jobs, in threads and as tasks."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import Any, Callable, TypeVar, Union

from ._engine import Engine, Settings
from ._http import seconds
from ._spans import write_span
from .aio import AsyncClient
from .asks import Json
from .context import AsyncContext, Context
from .shapes import WaitFor

Handler = Union[Callable[[Context], Json], Callable[[AsyncContext], Awaitable[Json]]]
H = TypeVar("H", bound=Handler)

logger = logging.getLogger("windlass")


@dataclass(frozen=True)
class WorkerReport:
    """What a worker has done.

    Attributes:
        outcomes: How many of its attempts ended how: `succeeded`, `failed`, `interrupted` and so on; `dropped` are those of which
            nothing could be told, because their lease was lost.
    """

    outcomes: Mapping[str, int]


class Worker:
    """Claims jobs and runs a handler for each.

    A handler is a function of a `Context`, which runs in a thread of its own, or an `async` one of an `AsyncContext`. What it
    returns is the result of the job; what it raises makes the attempt fail. `windlass.Fatal`, `Snooze`, `RetryAfter`, `Cancel`
    and `Interrupted` are raised, and `Unchanged` is returned, for other ends.

    Leases are extended from a thread that no handler runs in. When the lease of an attempt is lost, its handler is asked to
    stop and its result is dropped: another worker may have the job. While the server is away, handlers go on for as long as
    their leases hold, and what they made is told when it is back.

    Args:
        url: Where the server is; `WINDLASS_URL` unless said, else `http://127.0.0.1:7117`.
        token: Who works, with the role `worker`; `WINDLASS_TOKEN` unless said.
        queues: The queues it works on; all unless said.
        slots: How many jobs it runs at a time; four for each processor unless said.
        name: What people call it; the machine and the process unless said.
        lease: How long a job stays with it after a sign of life, 1 s to 1 h.
        drain_time: How long a worker that stops waits for its handlers before it asks them to stop.
        grace: How long a handler that was asked to stop has for it, before its attempt is ended without it.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        queues: Iterable[str] | None = None,
        slots: int | None = None,
        name: str | None = None,
        lease: WaitFor = timedelta(seconds=30),
        drain_time: WaitFor = timedelta(seconds=30),
        grace: WaitFor = timedelta(seconds=5),
    ) -> None:
        self._client = AsyncClient(url, token, patience=0)
        self._queues = None if queues is None else list(queues)
        self._slots = (os.cpu_count() or 1) * 4 if slots is None else slots
        self._name = name or f"{socket.gethostname()}-{os.getpid()}"
        self._lease, self._drain_time, self._grace = seconds(lease), seconds(drain_time), seconds(grace)
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._versions: dict[str, int | None] = {}
        self._engine: Engine | None = None
        self._asked = False
        if self._slots < 1:
            raise ValueError(f"slots is {slots}: it must be 1 or more")

    def __repr__(self) -> str:
        return f"Worker({self._client!r}, kinds={sorted(self._versions)}, slots={self._slots})"

    def handler(self, kind: str, *, version_max: int | None = None) -> Callable[[H], H]:
        """Makes a function the handler of a kind.

        Args:
            kind: Which jobs it is for.
            version_max: The newest version of args that it understands; any unless said. Newer ones are left to others.
        """

        def register(function: H) -> H:
            if (kind, "run") in self._handlers:
                raise ValueError(f"kind {kind!r} has a handler already")
            self._handlers[kind, "run"] = function
            self._versions[kind] = version_max
            return function

        return register

    def accepted(self, kind: str) -> Callable[[H], H]:
        """Makes a function the one that carries out that a job's outcome was accepted: `ctx.staged` is what it made."""
        return self._besides(kind, "accept")

    def declined(self, kind: str) -> Callable[[H], H]:
        """Makes a function the one that carries out that a job's outcome was declined."""
        return self._besides(kind, "decline")

    def cleanup(self, kind: str) -> Callable[[H], H]:
        """Makes a function the one that cleans up behind a job that ended while nobody ran it, as one that is cancelled while a
        person is to decide about its outcome: `ctx.cleans` is its id. What a handler leaves behind when it ends it cleans up
        itself, in a `finally`."""
        return self._besides(kind, "cleanup")

    def _besides(self, kind: str, use: str) -> Callable[[H], H]:
        def register(function: H) -> H:
            self._handlers[kind, use] = function
            return function

        return register

    def run(self) -> WorkerReport:
        """Works until `stop` is called or the process gets SIGTERM or SIGINT; a second signal ends the process at once.

        Stopping: no more claims; handlers get `drain_time`, then `cancelled` is set, and what has not ended after `grace` is
        given back, uncounted, for other workers.

        Raises:
            Unauthorized, Forbidden, Invalid: The server refuses its claims: nobody but a person can mend that.
        """
        with self._signals():
            return asyncio.run(self.serve())

    async def serve(self) -> WorkerReport:
        """As `run`, in the caller's event loop, where `async` handlers run; signals are left to the caller. To stop it, call
        `stop`, or cancel the task."""
        if not self._versions:
            raise ValueError("the worker has no handler")
        if self._engine is not None:
            raise RuntimeError("the worker has been started before: make another")
        self._engine = Engine(self._client, self._settings(), asyncio.get_running_loop())
        done = asyncio.wrap_future(self._engine.start())
        if self._asked:
            self._engine.stop()
        try:
            outcomes = await asyncio.shield(done)
        except asyncio.CancelledError:
            self._engine.stop()
            await done
            raise
        logger.info("the worker has stopped: %s", dict(outcomes))
        return WorkerReport(dict(outcomes))

    def stop(self) -> None:
        """Asks the worker to stop. From any thread; returns at once."""
        self._asked = True
        if self._engine is not None:
            self._engine.stop()

    def _settings(self) -> Settings:
        kinds = [
            {"kind": kind} if version is None else {"kind": kind, "version_max": version}
            for kind, version in self._versions.items()
        ]
        claim: dict[str, Json] = {
            "worker": self._name,
            "kinds": kinds,
            "queues": "*" if self._queues is None else self._queues,
            "lease": write_span(timedelta(seconds=self._lease)),
        }
        return Settings(
            slots=self._slots,
            lease=self._lease,
            drain_time=self._drain_time,
            grace=self._grace,
            claim=claim,
            handlers=dict(self._handlers),
        )

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Stops at the first signal, and ends the process at the second. Only the main thread is sent any."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def asked(number: int, _: FrameType | None) -> None:
            if self._asked:
                os._exit(128 + number)
            self.stop()

        before: dict[int, Any] = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
