"""What a handler is given: the job, and what it may say and ask while it runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from ._spans import read_instant, read_span
from .asks import Json, NewJob
from .shapes import Enqueued, Parent, _args

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._attempt import OpenAttempt
    from .asks import JobOptions

LogLevel = Literal["trace", "debug", "info", "warn", "error"]
CancelReason = Literal["cancelled", "timed_out", "deadline", "shutdown", "lease_lost"]


class _Leased:
    """The job of an attempt, as both kinds of handlers see it.

    Attributes:
        id: The id of the job.
        kind: Which handler it is for.
        queue: Where it waited.
        args: What it is to work on: JSON, or `bytes`.
        version: The version of its args.
        attempt: Counted starts of the job, this one included.
        attempts_max: Total starts that may end in failure; None for as many as it takes.
        deadline: When it must be finished, if ever.
        timeout: How long this attempt may take, if that is bounded.
        parents: What the jobs made that it waited for, in the order of its edges.
        checkpoint: Where an earlier attempt wants it to go on; None if none said.
        fences: The numbers of the resources that it holds alone, by name; each is greater than all before it.
        tags, meta, submitted_by: As they were asked for.
        staged: In the handlers of a decision, what the job made that was decided about.
        ruling: In the handlers of a decision, what was decided, by whom and why, as the server tells it.
        cleans: In a cleanup, the id of the job that it cleans up behind.
    """

    def __init__(self, attempt: OpenAttempt) -> None:
        lease = attempt.lease
        job = lease["job"]
        most = job["attempts_max"]
        settles = lease.get("settles") or {}
        self._attempt = attempt
        self.id: str = job["id"]
        self.kind: str = job["kind"]
        self.queue: str = job["queue"]
        self.args: Json = _args(job)
        self.version: int = job["version"]
        self.attempt: int = job["attempt"]
        self.attempts_max: int | None = None if most == "unlimited" else most
        self.deadline: datetime | None = read_instant(job["deadline"]) if "deadline" in job else None
        self.timeout: timedelta | None = read_span(job["timeout"]) if "timeout" in job else None
        self.parents: tuple[Parent, ...] = tuple(map(Parent.read, lease.get("parents", ())))
        self.checkpoint: Json = job.get("checkpoint")
        self.fences: Mapping[str, int] = {one["resource"]: one["number"] for one in lease.get("fences", ())}
        self.tags: tuple[str, ...] = tuple(job.get("tags", ()))
        self.meta: Mapping[str, Json] = job.get("meta", {})
        self.submitted_by: str | None = job.get("submitted_by")
        self.staged: Json = settles.get("staged")
        self.ruling: Mapping[str, Json] | None = settles.get("ruling")
        self.cleans: str | None = job.get("cleans")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(job={self.id!r}, kind={self.kind!r}, attempt={self.attempt})"

    @property
    def cancel_reason(self) -> CancelReason | None:
        """Why the handler should stop, if it should: the first reason there was."""
        return self._attempt.reason

    def log(self, message: str, level: LogLevel = "info") -> None:
        """Adds a line to the log of the job. It is stored soon, and before the attempt ends; this does not wait for it."""
        self._attempt.log(message, level)


class Context(_Leased):
    """What a handler that blocks is given. It runs in a thread of its own.

    Attributes:
        cancelled: Set once the handler should stop: the job was cancelled, its time is over, the worker stops, or the lease
            is lost. What it returns afterwards may not count. `cancelled.wait(seconds)` is a sleep that ends then.
    """

    def __init__(self, attempt: OpenAttempt) -> None:
        super().__init__(attempt)
        self.cancelled = threading.Event()

    def progress(self, percent: int, message: str | None = None) -> None:
        """Tells how far it has come, from 0 to 100. A server that cannot be reached is no error here.

        Raises:
            LeaseLost: The attempt is no longer this worker's.
        """
        self._attempt.block_on(self._attempt.progress(percent, message))

    def save_checkpoint(self, value: Json) -> None:
        """Stores where another attempt should go on. Once this returns, it is durable.

        Raises:
            LeaseLost: The attempt is no longer this worker's.
        """
        self._attempt.block_on(self._attempt.save_checkpoint(value))

    def enqueue(self, kind: str, args: Json = None, **options: Unpack[JobOptions]) -> Enqueued:
        """Enqueues a job, as long as the lease of this attempt holds: a worker that was given up on makes no jobs.

        Raises:
            LeaseLost: The attempt is no longer this worker's.
            Invalid: A field is wrong; `field` names it.
        """
        return self.enqueue_batch([NewJob(kind, args, **options)])[0]

    def enqueue_batch(self, jobs: Iterable[NewJob]) -> tuple[Enqueued, ...]:
        """Enqueues jobs, all or none, as long as the lease of this attempt holds. See `enqueue`."""
        return self._attempt.block_on(self._attempt.enqueue(list(jobs)))


class AsyncContext(_Leased):
    """What an `async` handler is given. It runs in the event loop of `Worker.serve`; what blocks there keeps other `async`
    handlers waiting, but not the leases.

    Attributes:
        cancelled: Set once the handler should stop. After a grace its task is cancelled, too.
    """

    def __init__(self, attempt: OpenAttempt) -> None:
        super().__init__(attempt)
        self.cancelled = asyncio.Event()

    async def progress(self, percent: int, message: str | None = None) -> None:
        """See `Context.progress`."""
        await self._attempt.wait_for(self._attempt.progress(percent, message))

    async def save_checkpoint(self, value: Json) -> None:
        """See `Context.save_checkpoint`."""
        await self._attempt.wait_for(self._attempt.save_checkpoint(value))

    async def enqueue(self, kind: str, args: Json = None, **options: Unpack[JobOptions]) -> Enqueued:
        """See `Context.enqueue`."""
        return (await self.enqueue_batch([NewJob(kind, args, **options)]))[0]

    async def enqueue_batch(self, jobs: Iterable[NewJob]) -> tuple[Enqueued, ...]:
        """See `Context.enqueue_batch`."""
        return await self._attempt.wait_for(self._attempt.enqueue(list(jobs)))
