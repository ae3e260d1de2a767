"""What can go wrong, one class for each right reaction.

Every problem that the server answers has a `code`, and every code has a class here. A server that cannot be reached is
`Unavailable`: nothing happened. An answer that got lost is `Unknown`: it may have happened.
"""

from __future__ import annotations

from typing import Any, ClassVar


class WindlassError(Exception):
    """Anything that this package raises by itself."""


class JobFailed(WindlassError):
    """A job whose result was waited for has ended without one.

    Attributes:
        job: The job, as `windlass.Job`.
    """

    def __init__(self, job: Any) -> None:
        message = job.error.message if job.error is not None else job.reason
        super().__init__(f"job {job.id} is {job.state}: {message}")
        self.job = job


class Problem(WindlassError):
    """Something was not done, and the server says why. Decide by the class, or by `code`.

    Attributes:
        code: What to decide by, such as `lease_lost`.
        detail: What happened, as a sentence for people.
        status: The status of the answer; 0 if there was none.
        field: The field at fault as it was written, such as `jobs[3].args`.
        job: The id of the job that has the unique key, with `Duplicate`.
        retry_after: How many seconds to wait before asking again, if the server said so.
    """

    code: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str,
        *,
        status: int = 0,
        field: str | None = None,
        job: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.detail = detail
        self.status = status
        self.field = field
        self.job = job
        self.retry_after = retry_after


class Invalid(Problem):
    """What was asked for is not valid: mend `field`."""

    code = "invalid"


class Unauthorized(Problem):
    """The token is missing or not known."""

    code = "unauthorized"


class Forbidden(Problem):
    """The token may not do this."""

    code = "forbidden"


class NotFound(Problem):
    """It never was, is gone, or is not in the caller's queues."""

    code = "not_found"


class NotReady(Problem):
    """Its state does not allow it."""

    code = "not_ready"


class NotRunning(Problem):
    """The attempt has ended, by its own settle."""

    code = "not_running"


class NotReviewable(Problem):
    """Nobody is asked to decide about it."""

    code = "not_reviewable"


class Cancelled(Problem):
    """The job was cancelled: stop the attempt, drop its result."""

    code = "cancelled"


class Finished(Problem):
    """The job is final."""

    code = "finished"


class Duplicate(Problem):
    """Another job has its unique key: `job` says which."""

    code = "duplicate"


class LeaseLost(Problem):
    """The attempt is no longer this worker's: stop it, drop its result, and never try again."""

    code = "lease_lost"


class Conflict(Problem):
    """Someone else changed it at the same time: ask again."""

    code = "conflict"


class TooLarge(Problem):
    """Less at once."""

    code = "too_large"


class RateLimited(Problem):
    """Nothing happened: come back after `retry_after` seconds."""

    code = "rate_limited"


class Unavailable(Problem):
    """Nothing happened: the server or its store cannot be reached."""

    code = "unavailable"


class Unknown(Problem):
    """It may have happened: the answer got lost. Ask again with the same ids."""

    code = "unknown"


class Full(Problem):
    """The store is full: stop enqueueing."""

    code = "full"


class Incompatible(Problem):
    """The store was made by a newer version: a person has to look."""

    code = "incompatible"


class Corrupt(Problem):
    """The store is damaged: a person has to look."""

    code = "corrupt"


class Internal(Problem):
    """The server failed, or answered what this version does not know: its log says more."""

    code = "internal"


_CLASSES: dict[str, type[Problem]] = {one.code: one for one in Problem.__subclasses__()}


def problem(data: dict[str, Any], status: int, retry_after: float | None) -> Problem:
    """The problem that an answer tells."""
    kind = _CLASSES.get(str(data.get("code")), Internal)
    return kind(
        str(data.get("detail") or data.get("title") or f"the server answered with status {status}"),
        status=status,
        field=data.get("field"),
        job=data.get("job"),
        retry_after=retry_after,
    )
