"""What can be asked of the server, as values: each function makes one call. The clients send them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Callable, TypeVar
from urllib.parse import quote

from . import _ids
from ._http import Call
from ._spans import read_instant, write_span
from .asks import Id, Json, NewJob, encode, job_body
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
)

T = TypeVar("T")

WAIT_MAX = 30.0
"""Seconds for which the server keeps one request waiting, at the most."""


def _nothing(_: Any) -> None:
    return None


def _list(name: str, read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda data: tuple(map(read, data[name]))


def _page(name: str, read: Callable[[Any], T]) -> Callable[[Any], Page[T]]:
    return lambda data: Page(tuple(map(read, data[name])), data.get("next"))


def _params(**given: Any) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


def _body(**given: Any) -> dict[str, Json]:
    return {name: encode(value) for name, value in given.items() if value is not None}


def _at(*parts: Id) -> str:
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def named(job: NewJob) -> dict[str, Json]:
    """The body that asks for a job, with an id: then it can be asked for again."""
    body = job_body(job)
    body.setdefault("id", _ids.job_id())
    return body


def enqueue(job: NewJob) -> Call[Enqueued]:
    return Call("POST", "/jobs", Enqueued.read, named(job), repeatable=True)


def enqueue_batch(jobs: Iterable[NewJob]) -> Call[tuple[Enqueued, ...]]:
    body = {"jobs": [named(job) for job in jobs]}
    return Call("POST", "/jobs/batch", _list("results", Enqueued.read), body, repeatable=True)


def enqueue_children(token: str, jobs: Iterable[NewJob]) -> Call[tuple[Enqueued, ...]]:
    body = {"jobs": [named(job) for job in jobs]}
    return Call("POST", f"/leases{_at(token)}/jobs", _list("results", Enqueued.read), body, repeatable=True)


def job(id: Id, wait: float | None = None) -> Call[Job]:
    wait = None if wait is None else min(wait, WAIT_MAX)
    params = {} if wait is None else {"wait": write_span(timedelta(seconds=wait))}
    return Call("GET", f"/jobs{_at(id)}", Job.read, params=params, waits=wait or 0.0, repeatable=True)


def jobs(filter: str | None, limit: int | None, after: str | None) -> Call[Page[Job]]:
    params = _params(filter=filter, limit=limit, after=after)
    return Call("GET", "/jobs", _page("jobs", Job.read), params=params, repeatable=True)


def attempts(id: Id) -> Call[tuple[Attempt, ...]]:
    return Call("GET", f"/jobs{_at(id)}/attempts", _list("attempts", Attempt.read), repeatable=True)


def logs(id: Id, limit: int | None, after: str | None) -> Call[Page[LogLine]]:
    params = _params(limit=limit, after=after)
    return Call("GET", f"/jobs{_at(id)}/logs", _page("lines", LogLine.read), params=params, repeatable=True)


def explain(id: Id) -> Call[Explanation]:
    return Call("GET", f"/jobs{_at(id)}/explain", Explanation.read, repeatable=True)


def cancel(id: Id, reason: str | None) -> Call[str]:
    path = f"/jobs{_at(id)}/cancel"
    return Call("POST", path, lambda data: str(data["outcome"]), _body(reason=reason), repeatable=True)


def verb(id: Id, name: str, reason: str | None) -> Call[None]:
    return Call("POST", f"/jobs{_at(id)}/{name}", _nothing, _body(reason=reason))


def rerun(id: Id, reason: str | None) -> Call[Enqueued]:
    body = _body(id=_ids.job_id(), reason=reason)
    return Call("POST", f"/jobs{_at(id)}/rerun", Enqueued.read, body, repeatable=True)


def delete(id: Id, reason: str | None) -> Call[None]:
    return Call("DELETE", f"/jobs{_at(id)}", _nothing, _body(reason=reason))


def reviews(queue: str | None, kind: str | None, limit: int | None, after: str | None) -> Call[Page[ReviewItem]]:
    params = _params(queue=queue, kind=kind, limit=limit, after=after)
    return Call("GET", "/reviews", _page("reviews", ReviewItem.read), params=params, repeatable=True)


def review(id: Id) -> Call[ReviewItem | None]:
    def read(data: Any) -> ReviewItem | None:
        return None if data.get("review") is None else ReviewItem.read(data["review"])

    return Call("GET", f"/jobs{_at(id)}/review", read, repeatable=True)


def decide(
    id: Id,
    decision: str,
    said: Mapping[str, Any],
    wait: float | None,
) -> Call[Settled]:
    args = said.get("args")
    body = _body(decision=decision, comment=said.get("comment"), digest=said.get("digest"))
    if args is not None:
        body["args"] = args
    if wait is not None:
        body["wait"] = write_span(timedelta(seconds=min(wait, WAIT_MAX)))
    return Call("POST", f"/jobs{_at(id)}/review", Settled.read, body, waits=min(wait or 0.0, WAIT_MAX))


def queues() -> Call[tuple[Queue, ...]]:
    return Call("GET", "/queues", _list("queues", Queue.read), repeatable=True)


def queue_verb(name: str, verb: str, reason: str | None) -> Call[None]:
    return Call("POST", f"/queues{_at(name)}/{verb}", _nothing, _body(reason=reason), repeatable=True)


def put_schedule(name: str, job: NewJob, said: Mapping[str, Any]) -> Call[str]:
    body = _body(**said)
    body["job"] = job_body(job)
    return Call("PUT", f"/schedules{_at(name)}", lambda data: str(data["outcome"]), body, repeatable=True)


def schedule(name: str) -> Call[Schedule]:
    return Call("GET", f"/schedules{_at(name)}", Schedule.read, repeatable=True)


def schedules(limit: int | None, after: str | None) -> Call[Page[Schedule]]:
    params = _params(limit=limit, after=after)
    return Call("GET", "/schedules", _page("schedules", Schedule.read), params=params, repeatable=True)


def schedule_next(name: str, count: int) -> Call[tuple[datetime, ...]]:
    path = f"/schedules{_at(name)}/next"
    return Call("GET", path, _list("next", read_instant), params={"n": str(count)}, repeatable=True)


def schedule_verb(name: str, verb: str, reason: str | None) -> Call[None]:
    path = f"/schedules{_at(name)}/{verb}"
    return Call("POST", path, _nothing, _body(reason=reason), repeatable=True)


def delete_schedule(name: str, reason: str | None) -> Call[None]:
    return Call("DELETE", f"/schedules{_at(name)}", _nothing, _body(reason=reason))


def run_schedule(name: str, reason: str | None) -> Call[str]:
    body = _body(id=_ids.job_id(), reason=reason)
    return Call("POST", f"/schedules{_at(name)}/run-now", lambda data: str(data["id"]), body)


def claim(request: Mapping[str, Json], wait: float) -> Call[Any]:
    body = {**request, "wait": write_span(timedelta(seconds=wait))}

    def read(data: Any) -> Any:
        return {"leases": [], "server_time": None} if data is None else data

    return Call("POST", "/leases", read, body, waits=wait)


def extend(token: str) -> Call[Any]:
    return Call("POST", f"/leases{_at(token)}/extend", lambda data: data, repeatable=True)


def of_lease(token: str, act: str, body: Mapping[str, Json]) -> Call[None]:
    """Progress, a checkpoint: whatever is said of an attempt and answered with nothing."""
    return Call("POST", f"/leases{_at(token)}/{act}", _nothing, dict(body), repeatable=True)


def log(token: str, lines: Iterable[Mapping[str, Json]]) -> Call[None]:
    return Call("POST", f"/leases{_at(token)}/logs", _nothing, {"lines": list(lines)})


def settle(token: str, verdict: Mapping[str, Json]) -> Call[Settled]:
    return Call("POST", f"/leases{_at(token)}/settle", Settled.read, dict(verdict), repeatable=True)
