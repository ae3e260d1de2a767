"""The client that blocks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeVar

import httpx

from . import _calls
from ._http import Call, Door, answer, is_worth_another_try, lost, pause, seconds
from .asks import Id, Json, NewJob
from .errors import JobFailed, Problem
from .shapes import (
    Attempt,
    Enqueued,
    Explanation,
    Job,
    LogLine,
    Page,
    Queue,
    ReviewItem,
    Schedule,
    Settled,
    WaitFor,
)

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .asks import JobOptions

T = TypeVar("T")


class Client:
    """Asks a Windlass server for things, and waits for its answers. Threads may share one.

    Every method raises a class of `windlass.errors` for what the server refuses. While the server cannot be reached, a call
    is tried again for up to `patience`, as long as that cannot do it twice; jobs have ids that are drawn here, so an enqueue
    never makes two.

    Args:
        url: Where the server is; `WINDLASS_URL` unless said, else `http://127.0.0.1:7117`.
        token: Who asks; `WINDLASS_TOKEN` unless said.
        patience: For how long a call is tried again; zero to try once.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        patience: WaitFor = timedelta(seconds=15),
    ) -> None:
        self._door = Door(url, token)
        self._patience = seconds(patience)
        self._http = httpx.Client(headers=self._door.headers(), limits=httpx.Limits(max_connections=None))

    def __repr__(self) -> str:
        return f"Client({self._door.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. The client is of no use afterwards."""
        self._http.close()

    def _send(self, call: Call[T]) -> T:
        until = time.monotonic() + self._patience
        tries = 0
        while True:
            try:
                return self._once(call)
            except Problem as error:
                delay = pause(tries, error)
                if not is_worth_another_try(call, error) or time.monotonic() + delay > until:
                    raise
            time.sleep(delay)
            tries += 1

    def _once(self, call: Call[T]) -> T:
        try:
            response = self._http.request(**self._door.request(call))
        except httpx.HTTPError as error:
            raise lost(error) from error
        return answer(call, response)

    # Jobs.

    def enqueue(self, kind: str, args: Json = None, **options: Unpack[JobOptions]) -> Enqueued:
        """Enqueues a job. Once this returns, it is durable.

        Args:
            kind: Which handler it is for.
            args: What it is to work on: JSON, or `bytes`.
            **options: See `windlass.JobOptions`.

        Raises:
            Invalid: A field is wrong; `field` names it. Nothing was enqueued.
            Duplicate: Its unique key is taken, and it asked to be refused then.
            Full: The store is full.
        """
        return self._send(_calls.enqueue(NewJob(kind, args, **options)))

    def enqueue_batch(self, jobs: Iterable[NewJob]) -> tuple[Enqueued, ...]:
        """Enqueues up to 1,000 jobs, all or none. They name each other in `after` by their `ref`.

        Raises:
            Invalid: A field is wrong, as in `jobs[3].args`; or they wait for each other in a circle.
        """
        return self._send(_calls.enqueue_batch(jobs))

    def get(self, id: Id) -> Job:
        """The job as it is now.

        Raises:
            NotFound: There is no such job.
        """
        return self._send(_calls.job(id))

    def wait(self, id: Id, timeout: WaitFor | None = None) -> Job:
        """The job once it is final.

        Args:
            timeout: How long to wait at the most; for ever unless said.

        Raises:
            TimeoutError: It is not final yet.
            NotFound: There is no such job.
        """
        until = None if timeout is None else time.monotonic() + seconds(timeout)
        while True:
            left = _calls.WAIT_MAX if until is None else max(0.0, until - time.monotonic())
            job = self._send(_calls.job(id, left))
            if job.is_final:
                return job
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"job {id} is {job.state} after {timeout}")

    def result(self, id: Id, timeout: WaitFor | None = None) -> Json:
        """What the job made, once it is final.

        Raises:
            JobFailed: It did not complete; `job` says how it ended.
            TimeoutError: It is not final yet.
        """
        job = self.wait(id, timeout)
        if job.state != "completed":
            raise JobFailed(job)
        return job.result

    def list(
        self,
        filter: str | None = None,
        *,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[Job]:
        """A page of jobs, the last enqueued first.

        Args:
            filter: Which ones, such as `state:dead queue:mail age:<1h`; `docs/http.md` has the terms.
            limit: How many at the most; 50 unless said, 500 at the most.
            after: `next` of the page before.
        """
        return self._send(_calls.jobs(filter, limit, after))

    def iterate(self, filter: str | None = None) -> Iterator[Job]:
        """All jobs that match, page by page."""
        page = self.list(filter, limit=500)
        for job in page.items:
            yield job
        while page.next is not None:
            page = self.list(filter, limit=500, after=page.next)
            for job in page.items:
                yield job

    def attempts(self, id: Id) -> tuple[Attempt, ...]:
        """The attempts of a job, the first first."""
        return self._send(_calls.attempts(id))

    def logs(self, id: Id, *, limit: int | None = None, after: str | None = None) -> Page[LogLine]:
        """A page of the log lines of a job."""
        return self._send(_calls.logs(id, limit, after))

    def explain(self, id: Id) -> Explanation:
        """Why a job does not run, and when it will."""
        return self._send(_calls.explain(id))

    def cancel(self, id: Id, *, reason: str | None = None) -> str:
        """Stops a job on purpose.

        Returns:
            `cancelled`; `requested` where it runs, and its worker is told; or `already_cancelled`.

        Raises:
            Finished: It has ended already.
        """
        return self._send(_calls.cancel(id, reason))

    def retry(self, id: Id, *, reason: str | None = None) -> None:
        """Gives a job that is dead, cancelled or waits for a retry a new budget of attempts.

        Raises:
            NotReady: Its state does not allow it.
        """
        self._send(_calls.verb(id, "retry", reason))

    def run_now(self, id: Id, *, reason: str | None = None) -> None:
        """Makes a waiting job due now.

        Raises:
            NotReady: Its state does not allow it.
        """
        self._send(_calls.verb(id, "run-now", reason))

    def rerun(self, id: Id, *, reason: str | None = None) -> Enqueued:
        """Enqueues a further copy of a final job.

        Raises:
            NotReady: It is not final.
        """
        return self._send(_calls.rerun(id, reason))

    def delete(self, id: Id, *, reason: str | None = None) -> None:
        """Removes a job for ever.

        Raises:
            NotReady: It runs, or a live job depends on it.
        """
        self._send(_calls.delete(id, reason))

    # Reviews.

    def reviews(
        self,
        *,
        queue: str | None = None,
        kind: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[ReviewItem]:
        """What is to be decided, the oldest first."""
        return self._send(_calls.reviews(queue, kind, limit, after))

    def review(self, id: Id) -> ReviewItem | None:
        """What is to be decided about a job, or was last; None if nobody has been asked yet."""
        return self._send(_calls.review(id))

    def accept(
        self,
        id: Id,
        *,
        comment: str | None = None,
        args: Json = None,
        digest: str | None = None,
        wait: WaitFor | None = None,
    ) -> Settled:
        """Accepts a job in review.

        Args:
            comment: What there is to say about it; kept.
            args: The args it is to start with instead, where its start is decided about.
            digest: What the reviewer had before them (`ReviewItem.digest`); whatever there is now, unless said.
            wait: How long to wait until the decision has been carried out, 30 s at the most.

        Raises:
            NotReviewable: Nobody is asked to decide about it.
            Conflict: It is not any more what `digest` names.
            Forbidden: It is the caller's own job.
        """
        said = {"comment": comment, "args": args, "digest": digest}
        return self._send(_calls.decide(id, "accept", said, None if wait is None else seconds(wait)))

    def decline(
        self,
        id: Id,
        *,
        comment: str | None = None,
        digest: str | None = None,
        wait: WaitFor | None = None,
    ) -> Settled:
        """Declines a job in review. Arguments and errors are those of `accept`."""
        said = {"comment": comment, "digest": digest}
        return self._send(_calls.decide(id, "decline", said, None if wait is None else seconds(wait)))

    # Queues.

    def queues(self) -> tuple[Queue, ...]:
        """Every queue, and how full it is."""
        return self._send(_calls.queues())

    def pause(self, queue: str, *, reason: str | None = None) -> None:
        """Stops claims from a queue. What runs goes on."""
        self._send(_calls.queue_verb(queue, "pause", reason))

    def resume(self, queue: str, *, reason: str | None = None) -> None:
        """Allows claims from a queue again."""
        self._send(_calls.queue_verb(queue, "resume", reason))

    # Schedules.

    def put_schedule(
        self,
        name: str,
        job: NewJob,
        *,
        cron: str | None = None,
        time_zone: str | None = None,
        every: timedelta | None = None,
        overlap: Literal["skip", "allow", "queue_one"] | None = None,
        missed: Literal["one", "skip"] | int | None = None,
        jitter: timedelta | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        paused: bool | None = None,
        reason: str | None = None,
    ) -> str:
        """Makes a schedule, or changes it.

        Args:
            job: The job that each tick makes; not the options that say when it is due.
            cron: When it ticks: a cron expression of 5 or 6 fields, in `time_zone` (UTC unless said).
            every: Or the time between two ticks.
            overlap: What becomes of a tick that comes too early for the last job.
            missed: What becomes of ticks that come too late; a number for all of them, up to so many.
            jitter: How far jobs may be due after their ticks.

        Returns:
            `created`, `changed` or `unchanged`.
        """
        late = {"all": missed} if isinstance(missed, int) else missed
        said: dict[str, Json] = {"cron": cron, "time_zone": time_zone, "every": every, "overlap": overlap, "missed": late}
        said.update(jitter=jitter, starts_at=starts_at, ends_at=ends_at, paused=paused, reason=reason)
        return self._send(_calls.put_schedule(name, job, said))

    def schedule(self, name: str) -> Schedule:
        """One schedule.

        Raises:
            NotFound: There is none of this name.
        """
        return self._send(_calls.schedule(name))

    def schedules(self, *, limit: int | None = None, after: str | None = None) -> Page[Schedule]:
        """A page of schedules."""
        return self._send(_calls.schedules(limit, after))

    def schedule_next(self, name: str, count: int = 10) -> tuple[datetime, ...]:
        """Its next ticks."""
        return self._send(_calls.schedule_next(name, count))

    def pause_schedule(self, name: str, *, reason: str | None = None) -> None:
        """Stops its ticks."""
        self._send(_calls.schedule_verb(name, "pause", reason))

    def resume_schedule(self, name: str, *, reason: str | None = None) -> None:
        """Lets it tick again."""
        self._send(_calls.schedule_verb(name, "resume", reason))

    def delete_schedule(self, name: str, *, reason: str | None = None) -> None:
        """Removes it. The jobs it made stay."""
        self._send(_calls.delete_schedule(name, reason))

    def run_schedule(self, name: str, *, reason: str | None = None) -> str:
        """Makes its job now. Returns the id of the job."""
        return self._send(_calls.run_schedule(name, reason))
