"""What the server answers: jobs, their attempts and logs, queues, reviews, schedules. All of it is read-only."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Literal, TypeVar, Union

from ._spans import read_instant, read_span
from .asks import Json

T = TypeVar("T")
JobState = Literal["scheduled", "ready", "retryable", "blocked", "in_review", "running", "completed", "cancelled", "dead"]
FINAL: frozenset[str] = frozenset({"completed", "cancelled", "dead"})
"""The states that nothing follows."""


def _maybe(read: Callable[[Any], T], value: Any) -> T | None:
    return None if value is None else read(value)


def _rest(data: Mapping[str, Any], kind: Any) -> dict[str, Json]:
    """What is told that has no attribute of its own."""
    known = {*kind.__dataclass_fields__, "server_time"}
    return {name: value for name, value in data.items() if name not in known}


def _args(data: Mapping[str, Any]) -> Json:
    text = data.get("args_base64")
    return data.get("args") if text is None else base64.b64decode(text)


@dataclass(frozen=True)
class Enqueued:
    """What an enqueue did.

    Attributes:
        id: The job that now stands for what was asked.
        outcome: `created`; `existing` or `replaced` where a job with the same unique key stood in the way.
        repeated: Whether this very id had been enqueued before.
        ref: What others of the batch called it.
    """

    id: str
    outcome: Literal["created", "existing", "replaced"]
    repeated: bool = False
    ref: str | None = None

    @staticmethod
    def read(data: Mapping[str, Any]) -> Enqueued:
        return Enqueued(data["id"], data["outcome"], data.get("repeated", False), data.get("ref"))


@dataclass(frozen=True)
class ErrorInfo:
    """What went wrong with an attempt."""

    message: str
    type: str | None = None
    chain: tuple[str, ...] = ()
    trace: str | None = None
    by_parent: bool = False

    @staticmethod
    def read(data: Mapping[str, Any]) -> ErrorInfo:
        return ErrorInfo(
            data["message"],
            data.get("type"),
            tuple(data.get("chain", ())),
            data.get("trace"),
            data.get("by_parent", False),
        )


@dataclass(frozen=True)
class Progress:
    """How far an attempt has come, in percent from 0 to 100."""

    percent: int
    message: str | None = None


@dataclass(frozen=True)
class Edge:
    """A job at the other end of an edge."""

    job: str
    kind: str
    on: Literal["on_success", "on_finish"]
    state: JobState
    reason: str | None = None

    @staticmethod
    def read(data: Mapping[str, Any]) -> Edge:
        return Edge(data["job"], data["kind"], data["on"], data["state"], data.get("reason"))


@dataclass(frozen=True)
class Job:
    """A job and what became of it so far.

    Attributes:
        attempt: Counted starts so far, the running one included.
        attempts_max: Total starts that may end in failure; None for as many as it takes.
        has_result: Whether there is a result: a job that made nothing and one that made `None` are not the same.
        options: Whatever else was asked for, as the server tells it: `retry`, `unique`, `locks`, `limits`, `rates`, …
    """

    id: str
    kind: str
    version: int
    queue: str
    state: JobState
    reason: str | None
    priority: str
    args: Json
    attempt: int
    attempts_max: int | None
    losses: int
    losses_max: int
    run_at: datetime
    deadline: datetime | None
    timeout: timedelta | None
    tags: tuple[str, ...]
    meta: Mapping[str, Json]
    progress: Progress | None
    checkpoint: Json
    result: Json
    has_result: bool
    error: ErrorInfo | None
    submitted_by: str | None
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    revision: int
    after: tuple[Edge, ...]
    options: Mapping[str, Json]

    @property
    def is_final(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in FINAL

    @staticmethod
    def read(data: Mapping[str, Any]) -> Job:
        most = data["attempts_max"]
        return Job(
            id=data["id"],
            kind=data["kind"],
            version=data["version"],
            queue=data["queue"],
            state=data["state"],
            reason=data.get("reason"),
            priority=data["priority"],
            args=_args(data),
            attempt=data["attempt"],
            attempts_max=None if most == "unlimited" else most,
            losses=data["losses"],
            losses_max=data["losses_max"],
            run_at=read_instant(data["run_at"]),
            deadline=_maybe(read_instant, data.get("deadline")),
            timeout=_maybe(read_span, data.get("timeout")),
            tags=tuple(data.get("tags", ())),
            meta=data.get("meta", {}),
            progress=_maybe(lambda it: Progress(it["percent"], it.get("message")), data.get("progress")),
            checkpoint=data.get("checkpoint"),
            result=data.get("result"),
            has_result="result" in data,
            error=_maybe(ErrorInfo.read, data.get("error")),
            submitted_by=data.get("submitted_by"),
            worker=data.get("worker"),
            created_at=read_instant(data["created_at"]),
            started_at=_maybe(read_instant, data.get("started_at")),
            finished_at=_maybe(read_instant, data.get("finished_at")),
            revision=data["revision"],
            after=tuple(map(Edge.read, data.get("after", ()))),
            options=_rest(data, Job),
        )


@dataclass(frozen=True)
class Parent:
    """What a job is given by one that it waited for. `has_result` tells a result of `None` from none."""

    id: str
    kind: str
    on: Literal["on_success", "on_finish"]
    state: JobState
    reason: str | None
    result: Json
    has_result: bool
    error: ErrorInfo | None

    @staticmethod
    def read(data: Mapping[str, Any]) -> Parent:
        return Parent(
            data["id"],
            data["kind"],
            data["on"],
            data["state"],
            data.get("reason"),
            data.get("result"),
            "result" in data,
            _maybe(ErrorInfo.read, data.get("error")),
        )


@dataclass(frozen=True)
class Attempt:
    """One execution of a job. `outcome` is None while it runs."""

    number: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    error: ErrorInfo | None

    @staticmethod
    def read(data: Mapping[str, Any]) -> Attempt:
        return Attempt(
            data["number"],
            data["worker"],
            read_instant(data["started_at"]),
            _maybe(read_instant, data.get("ended_at")),
            data.get("outcome"),
            _maybe(ErrorInfo.read, data.get("error")),
        )


@dataclass(frozen=True)
class LogLine:
    """One line of a job's log."""

    at: datetime
    attempt: int
    level: str
    message: str

    @staticmethod
    def read(data: Mapping[str, Any]) -> LogLine:
        return LogLine(read_instant(data["at"]), data["attempt"], data["level"], data["message"])


@dataclass(frozen=True)
class Page(Sequence[T]):
    """Some of a list. `next` goes into `after` to go on; None if there is no more."""

    items: tuple[T, ...]
    next: str | None

    def __getitem__(self, index: Any) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class Obstacle:
    """What stands in a job's way.

    Attributes:
        what: `scheduled`, `paused`, `dependencies`, `lock`, `limit`, `rate`, `order`, `no_worker`, `review`, `running`,
            `final` and so on: `docs/openapi.json` has them all.
        details: What else the server tells of it: who holds it, how many there are, which jobs.
    """

    what: str
    name: str | None
    since: datetime | None
    until: datetime | None
    details: Mapping[str, Json]

    @staticmethod
    def read(data: Mapping[str, Any]) -> Obstacle:
        return Obstacle(
            data["what"],
            data.get("name"),
            _maybe(read_instant, data.get("since")),
            _maybe(read_instant, data.get("until")),
            _rest(data, Obstacle),
        )


@dataclass(frozen=True)
class Explanation:
    """Why a job does not run, and when it will.

    Attributes:
        next: Whether the next claim of its queue takes it.
        ahead: How many jobs of its queue come before it.
        until: The earliest time at which it could start, as far as time decides.
        obstacles: What stands in its way, in the order in which a claim would meet it.
    """

    id: str
    state: JobState
    reason: str | None
    next: bool
    ahead: int
    until: datetime | None
    obstacles: tuple[Obstacle, ...]

    @staticmethod
    def read(data: Mapping[str, Any]) -> Explanation:
        return Explanation(
            data["id"],
            data["state"],
            data.get("reason"),
            data["next"],
            data["ahead"],
            _maybe(read_instant, data.get("until")),
            tuple(map(Obstacle.read, data["obstacles"])),
        )


@dataclass(frozen=True)
class ReviewItem:
    """What is or was to be decided about a job.

    Attributes:
        of: `start`, or `outcome`.
        open: Whether nobody has decided yet.
        digest: Names what is decided about; a decision with it holds for just that.
        staged: What the job made, where that is decided about.
        ruling: What was decided, as the server tells it.
    """

    job: str
    kind: str
    queue: str
    of: str
    open: bool
    digest: str
    args: Json
    staged: Json
    submitted_by: str | None
    asked_at: datetime
    decide_by: datetime | None
    ruling: Mapping[str, Json] | None

    @staticmethod
    def read(data: Mapping[str, Any]) -> ReviewItem:
        return ReviewItem(
            data["job"],
            data["kind"],
            data["queue"],
            data["of"],
            data["open"],
            data["digest"],
            _args(data),
            data.get("staged"),
            data.get("submitted_by"),
            read_instant(data["asked_at"]),
            _maybe(read_instant, data.get("decide_by")),
            data.get("ruling"),
        )


@dataclass(frozen=True)
class Settled:
    """Where a job went. `settled` says, to who asked to wait for it, whether a decision has been carried out."""

    state: JobState
    reason: str | None = None
    settled: bool | None = None

    @staticmethod
    def read(data: Mapping[str, Any]) -> Settled:
        return Settled(data["state"], data.get("reason"), data.get("settled"))


@dataclass(frozen=True)
class Queue:
    """A queue at a glance. `counts` has every state of jobs by name."""

    name: str
    paused: bool
    counts: Mapping[str, int]
    oldest_ready_at: datetime | None

    @staticmethod
    def read(data: Mapping[str, Any]) -> Queue:
        oldest = _maybe(read_instant, data.get("oldest_ready_at"))
        return Queue(data["name"], data["paused"], data["counts"], oldest)


@dataclass(frozen=True)
class Schedule:
    """A schedule.

    Attributes:
        state: `active`, `paused`, `removed` or `ended`.
        next_at: Its next tick, unless it fires no more.
        fired: How many jobs its ticks have made.
        details: What else the server tells of it.
    """

    name: str
    state: str
    cron: str | None
    every: timedelta | None
    zone: str | None
    next_at: datetime | None
    fired: int
    details: Mapping[str, Json]

    @staticmethod
    def read(data: Mapping[str, Any]) -> Schedule:
        return Schedule(
            data["name"],
            data["state"],
            data.get("cron"),
            _maybe(read_span, data.get("every")),
            data.get("zone"),
            _maybe(read_instant, data.get("next_at")),
            data["fired"],
            _rest(data, Schedule),
        )


WaitFor = Union[timedelta, float]
"""How long to wait: a span, or seconds."""
