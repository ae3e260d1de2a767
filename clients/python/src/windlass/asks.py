"""What can be asked for with a job: the keyword arguments of `enqueue`, and the small values they are made of."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union
from uuid import UUID

from ._spans import write_instant, write_span

if TYPE_CHECKING:
    from typing_extensions import Unpack

Json = Any
"""Whatever `json.dumps` writes; `bytes` for args that are no JSON."""

Priority = Literal["critical", "high", "normal", "low", "idle"]
Id = Union[str, UUID]


@dataclass(frozen=True)
class Fixed:
    """Retries come after the same delay each time."""

    delay: timedelta

    def _json(self) -> Json:
        return {"fixed": write_span(self.delay)}


@dataclass(frozen=True)
class Exponential:
    """Retries come after `base`, and each after `factor` times the delay before, `cap` at the most. `jitter` is how far a
    delay may be off, as a part of it: 0.1 is ±10 %."""

    base: timedelta = timedelta(seconds=5)
    factor: float = 2.0
    cap: timedelta = timedelta(hours=1)
    jitter: float = 0.1

    def _json(self) -> Json:
        said = {"base": self.base, "factor": self.factor, "cap": self.cap, "jitter": self.jitter}
        return {"exponential": _said(said)}


@dataclass(frozen=True)
class Delays:
    """Retries come after these delays, one after the other; the last holds for all that follow."""

    delays: Sequence[timedelta]

    def _json(self) -> Json:
        return {"list": [write_span(delay) for delay in self.delays]}


@dataclass(frozen=True)
class Debounce:
    """A second job like it puts off the first by `delay`, but never beyond `max_wait` from its enqueue."""

    delay: timedelta
    max_wait: timedelta

    def _json(self) -> Json:
        return {"debounce": {"delay": write_span(self.delay), "max_wait": write_span(self.max_wait)}}


@dataclass(frozen=True)
class Unique:
    """That there is to be no second job like it.

    Attributes:
        key: What makes jobs alike; kind and args unless said.
        scope: While it is `waiting` to be started, while it is `active` (not final), or for a time from its enqueue on.
        within: Among which jobs: those of its kind, of its queue, or all.
        on_conflict: What becomes of the second: the `existing` one is answered, it is refused (`reject`, as
            `windlass.Duplicate`), it takes the place of the first (`replace`), or puts it off (`Debounce`).
    """

    key: str | None = None
    scope: Literal["waiting", "active"] | timedelta = "active"
    within: Literal["kind", "queue", "global"] = "kind"
    on_conflict: Literal["existing", "reject", "replace"] | Debounce = "existing"

    def _json(self) -> Json:
        scope = {"for": self.scope} if isinstance(self.scope, timedelta) else self.scope
        said = {"key": self.key, "scope": scope, "within": self.within, "on_conflict": self.on_conflict}
        return _said(said)


@dataclass(frozen=True)
class Lock:
    """A resource that a job needs while it runs, alone or `shared` with others."""

    resource: str
    mode: Literal["shared", "exclusive"] = "exclusive"


@dataclass(frozen=True)
class Limit:
    """At most `max` jobs with this key run at a time."""

    key: str
    max: int


@dataclass(frozen=True)
class Rate:
    """At most `starts` jobs with this key start `per` so long, and `burst` more after a quiet time."""

    key: str
    starts: int
    per: timedelta
    burst: int | None = None


@dataclass(frozen=True)
class Review:
    """That a person decides: about the `start` of a job, or about its `outcome`.

    Attributes:
        of: What is decided about.
        decide_within: How long there is time for it.
        otherwise: What is decided if nobody does by then.
        remind_every: How often whoever is to decide is reminded.
        submitter_may: Whether the one who asked for the job may decide about it.
        settle_attempts_max: How often carrying the decision out may be tried.
        settle_retry: How long to wait between those attempts.
    """

    of: Literal["start", "outcome"]
    decide_within: timedelta | None = None
    otherwise: Literal["accept", "decline"] | None = None
    remind_every: timedelta | None = None
    submitter_may: bool | None = None
    settle_attempts_max: int | None = None
    settle_retry: Fixed | Exponential | Delays | None = None


@dataclass(frozen=True)
class Notify:
    """Who is told when a job ends: a `mail` address, or a `webhook`. `on` names the ends: `completed`, `cancelled`, `dead`."""

    mail: str | None = None
    webhook: str | None = None
    on: Sequence[Literal["completed", "cancelled", "dead"]] | None = None


@dataclass(frozen=True)
class After:
    """An edge to a job that is waited for: one that exists (`job`), or another of the same batch (`ref`).

    `on_success` cancels the child if the parent does not complete; `on_finish` lets it go whatever the end.
    """

    job: Id | None = None
    ref: str | None = None
    on: Literal["on_success", "on_finish"] = "on_success"


class JobOptions(TypedDict, total=False):
    """The keyword arguments of `enqueue`. What is left out is as the server has it by default."""

    id: Id
    """Its id, a UUIDv7; drawn unless said. Asking again with the same id makes no second job."""
    version: int
    """The version of its args; 1 unless said."""
    queue: str
    """Where it waits; `default` unless said."""
    priority: Priority
    """How urgent it is; `normal` unless said."""
    run_at: datetime
    """Not before this instant. Excludes `delay`."""
    delay: timedelta
    """Not before this long after it is enqueued. Excludes `run_at`."""
    deadline: datetime | timedelta
    """When it must be finished: an instant, or a time from its enqueue on."""
    timeout: timedelta
    """How long one attempt may take."""
    attempts_max: int | Literal["unlimited"]
    """Total starts that may end in failure; 8 unless said, 1 for no retry."""
    losses_max: int
    """Lost attempts that are forgiven; 2 unless said."""
    retry: Fixed | Exponential | Delays
    """How long it waits after a failure."""
    tags: Sequence[str]
    """Words to find it by, 32 at the most."""
    meta: Mapping[str, Json]
    """What travels with it."""
    notify: Sequence[Notify]
    """Who is told when it ends."""
    unique: bool | str | Unique
    """No second job like it: `True` for one with its kind and args, a text for one with that key."""
    locks: Sequence[str | Lock]
    """Resources it needs while it runs; a name is one that it needs alone."""
    limits: Sequence[Limit]
    """How many jobs with the same keys may run beside it."""
    rates: Sequence[Rate]
    """How often jobs with the same keys may start."""
    order_key: str
    """Jobs with the same one run one at a time, in the order of their enqueue."""
    review: Literal["start", "outcome"] | Review
    """That a person decides about it."""
    submitted_by: str
    """Who asks for it, for tokens that may speak for others."""
    rerun_of: Id
    """The job that it is a further copy of."""
    ref: str
    """What others of its batch call it in their `after`."""
    after: Sequence[Id | After]
    """The jobs it waits for: their ids, or edges that say more."""


class NewJob:
    """A job for `enqueue_batch` and for schedules: a kind, its args, and the keyword arguments of `enqueue`."""

    def __init__(self, kind: str, args: Json = None, **options: Unpack[JobOptions]) -> None:
        self.kind = kind
        self.args = args
        self.options = options

    def __repr__(self) -> str:
        return f"NewJob({self.kind!r}, **{sorted(self.options)})"


def job_body(job: NewJob) -> dict[str, Json]:
    """The body that asks for a job."""
    body: dict[str, Json] = {"kind": job.kind}
    if isinstance(job.args, bytes):
        body["args_base64"] = base64.b64encode(job.args).decode()
    elif job.args is not None:
        body["args"] = job.args
    options = dict(job.options)
    meta = options.pop("meta", None)
    after = options.pop("after", None)
    body.update(_said(options))
    if meta is not None:
        body["meta"] = meta
    if after is not None:
        edges = after if isinstance(after, (list, tuple)) else list(after)  # type: ignore[call-overload]
        body["after"] = [encode(edge if isinstance(edge, After) else After(job=edge)) for edge in edges]
    return body


def encode(value: Json) -> Json:
    """A value of this module, or of the standard library, as the server reads it."""
    if isinstance(value, timedelta):
        return write_span(value)
    if isinstance(value, datetime):
        return write_instant(value)
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "_json"):
        return value._json()
    if hasattr(value, "__dataclass_fields__"):
        return _said({name: getattr(value, name) for name in value.__dataclass_fields__})
    if isinstance(value, Mapping):
        return {name: encode(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [encode(one) for one in value]
    return value


def _said(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {name: encode(value) for name, value in fields.items() if value is not None}
