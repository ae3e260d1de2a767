"""A worker runs jobs: what its handlers are given, and what becomes of what they do."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any, Callable

import pytest

import windlass
from server import PATIENCE, Server, until
from windlass import After, AsyncContext, Context, NewJob, errors

Start = Callable[..., windlass.Worker]
HOUR = timedelta(hours=1)


def final(client: windlass.Client, id: str) -> windlass.Job:
    return client.wait(id, timeout=PATIENCE)


def test_blocking_and_async_handlers_make_results(client: windlass.Client, start: Start, kind: str) -> None:
    async def doubled(ctx: AsyncContext) -> int:
        await ctx.progress(50)
        return int(ctx.args) * 2

    start({kind: lambda ctx: {"squared": ctx.args**2}, f"{kind}-async": doubled})

    assert client.result(client.enqueue(kind, 7).id, PATIENCE) == {"squared": 49}
    assert client.result(client.enqueue(f"{kind}-async", 7).id, PATIENCE) == 14


def test_a_handler_sees_its_job(client: windlass.Client, start: Start, kind: str) -> None:
    seen: list[Context] = []
    start({kind: seen.append})

    made = client.enqueue(
        kind, b"\xff", version=2, attempts_max=3, tags=["t"], meta={"m": 1}, locks=[kind], timeout=HOUR, deadline=HOUR
    )
    job = final(client, made.id)

    (ctx,) = seen
    assert (ctx.id, ctx.kind, ctx.queue, ctx.args, ctx.version) == (job.id, kind, "default", b"\xff", 2)
    assert (ctx.attempt, ctx.attempts_max, ctx.tags, ctx.meta) == (1, 3, ("t",), {"m": 1})
    assert (ctx.timeout, ctx.deadline, ctx.fences) == (HOUR, job.deadline, {kind: 1})
    assert (ctx.checkpoint, ctx.parents, ctx.cancel_reason) == (None, (), None)


def test_an_exception_is_a_failed_attempt(client: windlass.Client, start: Start, kind: str) -> None:
    def broken(_: Context) -> None:
        try:
            {}["x"]  # type: ignore[index]
        except KeyError as error:
            raise LookupError("boom") from error

    start({kind: broken})
    job = final(client, client.enqueue(kind, attempts_max=2, retry=windlass.Fixed(timedelta(0))).id)

    assert (job.state, job.reason, job.attempt) == ("dead", "exhausted", 2)
    assert job.error is not None
    assert (job.error.message, job.error.type, job.error.chain) == ("boom", "LookupError", ("'x'",))
    assert "test_worker.py" in (job.error.trace or "")
    assert [attempt.outcome for attempt in client.attempts(job.id)] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (windlass.Fatal("no"), "dead", "fatal"),
        (windlass.Undecodable("no"), "dead", "undecodable"),
        (windlass.Cancel("no"), "cancelled", "handler"),
        (windlass.Snooze(HOUR), "scheduled", "snoozed"),
        (windlass.RetryAfter(HOUR), "retryable", "error"),
        (windlass.Unchanged({"n": 1}), "completed", "unchanged"),
        (object(), "retryable", "error"),
    ],
)
def test_a_handler_may_end_in_many_ways(
    client: windlass.Client, start: Start, kind: str, outcome: Any, state: str, reason: str
) -> None:
    def handle(_: Context) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    start({kind: handle})
    id = client.enqueue(kind, retry=windlass.Fixed(HOUR)).id

    until(lambda: client.get(id).reason is not None)
    job = client.get(id)
    assert (job.state, job.reason) == (state, reason)
    if state in ("scheduled", "retryable"):
        assert job.run_at - job.created_at >= HOUR
    if state == "completed":
        assert job.result == {"n": 1}


def test_an_interrupted_attempt_costs_nothing(client: windlass.Client, start: Start, kind: str) -> None:
    attempts: list[int] = []

    async def handle(ctx: AsyncContext) -> None:
        attempts.append(ctx.attempt)
        if len(attempts) < 3:
            raise windlass.Interrupted

    start({kind: handle})
    job = final(client, client.enqueue(kind, attempts_max=1).id)

    assert (job.state, attempts) == ("completed", [1, 1, 1])


def test_a_job_is_given_what_its_parents_made(client: windlass.Client, start: Start, kind: str) -> None:
    def handle(ctx: Context) -> Any:
        if ctx.args == "fails":
            raise windlass.Fatal("told")
        return ctx.args or [(parent.state, parent.result, parent.error and parent.error.message) for parent in ctx.parents]

    start({kind: handle})
    batch = [
        NewJob(kind, {"n": 1}, ref="a"),
        NewJob(kind, "fails", ref="b"),
        NewJob(kind, after=[After(ref="a"), After(ref="b", on="on_finish")]),
    ]
    child = client.enqueue_batch(batch)[-1]

    assert client.result(child.id, PATIENCE) == [["completed", {"n": 1}, None], ["dead", None, "told"]]


def test_progress_logs_and_checkpoints_are_kept(client: windlass.Client, start: Start, kind: str) -> None:
    def handle(ctx: Context) -> Any:
        ctx.progress(40, "some")
        ctx.log(f"attempt {ctx.attempt}")
        if ctx.checkpoint is None:
            ctx.save_checkpoint({"at": 7})
            raise RuntimeError("again")
        ctx.log("done", "warn")
        return ctx.checkpoint

    start({kind: handle})
    job = final(client, client.enqueue(kind, retry=windlass.Fixed(timedelta(0))).id)

    assert (job.result, job.progress) == ({"at": 7}, windlass.Progress(40, "some"))
    lines = [(line.attempt, line.level, line.message) for line in client.logs(job.id)]
    assert lines == [(1, "info", "attempt 1"), (2, "info", "attempt 2"), (2, "warn", "done")]


def test_no_more_handlers_run_than_there_are_slots(client: windlass.Client, start: Start, kind: str) -> None:
    running, most = threading.Semaphore(2), []

    def handle(ctx: Context) -> None:
        most.append(running.acquire(blocking=False))
        ctx.progress(50)  # Asks the server, which takes long enough to meet a third, were there one.
        running.release()

    start({kind: handle}, slots=2)
    made = client.enqueue_batch([NewJob(kind) for _ in range(30)])

    assert {final(client, one.id).state for one in made} == {"completed"}
    assert most == [True] * 30


def test_a_cancelled_job_stops_its_handler(client: windlass.Client, start: Start, kind: str) -> None:
    stopped: list[Any] = []

    def blocking(ctx: Context) -> None:
        assert ctx.cancelled.wait(PATIENCE)
        stopped.append(ctx.cancel_reason)

    async def waiting(ctx: AsyncContext) -> None:
        await ctx.cancelled.wait()
        stopped.append(ctx.cancel_reason)

    start({kind: blocking, f"{kind}-async": waiting}, lease=9)
    jobs = [client.enqueue(kind).id, client.enqueue(f"{kind}-async").id]
    until(lambda: {client.get(id).state for id in jobs} == {"running"})

    assert [client.cancel(id) for id in jobs] == ["requested", "requested"]

    until(lambda: stopped == ["cancelled", "cancelled"], "both are told")
    assert {final(client, id).state for id in jobs} == {"cancelled"}


def test_an_attempt_that_takes_too_long_is_ended(client: windlass.Client, start: Start, kind: str) -> None:
    ended = threading.Event()

    async def deaf(_: AsyncContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stubborn = threading.Event()
    start({kind: deaf, f"{kind}-blocking": lambda _: stubborn.wait(PATIENCE)}, grace=0.1)
    # Long enough for the task to begin: one that has not is not begun any more.
    options: windlass.JobOptions = {"timeout": timedelta(seconds=4), "attempts_max": 1}
    first, second = client.enqueue(kind, **options), client.enqueue(f"{kind}-blocking", **options)

    for job in (final(client, first.id), final(client, second.id)):
        assert job.state == "dead"
        assert job.error is not None
        assert "timeout of 4s" in job.error.message
    assert ended.wait(PATIENCE), "the task is cancelled after its grace"
    stubborn.set()


def test_a_task_whose_time_is_over_before_it_begins_is_not_begun(client: windlass.Client, start: Start, kind: str) -> None:
    begun: list[str] = []
    held = threading.Event()

    async def blocks(_: AsyncContext) -> None:
        held.wait(PATIENCE)  # Not awaited: no other task begins meanwhile.

    async def begins(ctx: AsyncContext) -> None:
        begun.append(ctx.args)

    start({f"{kind}-blocks": blocks, kind: begins}, grace=0.1, slots=3)
    blocking = client.enqueue(f"{kind}-blocks").id
    until(lambda: client.get(blocking).state == "running")
    late = client.enqueue(kind, "late", timeout=timedelta(milliseconds=50), attempts_max=1).id

    assert final(client, late).state == "dead"
    held.set()
    # Its task begins after that of the other.
    assert final(client, client.enqueue(kind, "in time").id).state == "completed"
    assert begun == ["in time"]


def test_a_handler_that_blocks_the_loop_keeps_its_lease(server: Server, start: Start, kind: str) -> None:
    def lease_until(id: str) -> str:
        leases = server.get("/api/v1/leases").json()["leases"]
        return str(next(one["lease_until"] for one in leases if one["job"] == id))

    async def blocks(ctx: AsyncContext) -> str:
        first = lease_until(ctx.id)
        # Not awaited: nothing else runs in the loop of the handlers meanwhile.
        until(lambda: lease_until(ctx.id) > first)
        second = lease_until(ctx.id)
        return str(until(lambda: lease_until(ctx.id) > second and "extended twice"))

    start({kind: blocks}, lease=9)
    with server.client() as client:
        job = final(client, client.enqueue(kind).id)

    assert (job.result, job.losses, job.attempt) == ("extended twice", 0, 1)


def test_a_worker_that_lost_its_lease_stops_and_makes_nothing(
    server: Server, client: windlass.Client, start: Start, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    def handle(ctx: Context) -> Any:
        if seen:
            return "second"
        # Somebody else ends the attempt, as if it had been given up on.
        token = ctx._attempt._token
        assert server.post(f"/leases/{token}/settle", {"outcome": "failed", "delay": "0s"}).is_success
        with pytest.raises((errors.LeaseLost, errors.NotRunning)) as refused:
            ctx.enqueue(f"{kind}-child")
        seen.extend([ctx.cancelled.wait(PATIENCE), ctx.cancel_reason, refused.type.__name__])
        return "first"

    start({kind: handle}, lease=9, slots=1)
    job = final(client, client.enqueue(kind).id)

    assert job.result == "second"
    assert seen[:2] == [True, "lease_lost"]
    assert len(client.list(f"kind:{kind}-child")) == 0
    assert "its result is dropped" in caplog.text


def test_children_are_enqueued_under_the_lease(client: windlass.Client, start: Start, kind: str) -> None:
    async def handle(ctx: AsyncContext) -> Any:
        one = await ctx.enqueue(f"{kind}-child", 1, delay=HOUR)
        two = await ctx.enqueue_batch([NewJob(f"{kind}-child", n, delay=HOUR) for n in range(2)])
        return [one.id, *(child.id for child in two)]

    start({kind: handle})
    children = client.result(client.enqueue(kind).id, PATIENCE)

    assert {job.id for job in client.list(f"kind:{kind}-child")} == set(children)


def test_decisions_are_carried_out(server: Server, client: windlass.Client, kind: str) -> None:
    worker = windlass.Worker(server.url, server.token, drain_time=0)
    worker.handler(kind)(lambda ctx: {"draft": ctx.args})
    worker.accepted(kind)(lambda ctx: ctx.log(f"{ctx.ruling['decision'] if ctx.ruling else None} {ctx.staged}"))
    thread = threading.Thread(target=worker.run)
    thread.start()
    accepted = client.enqueue(kind, 1, review="outcome", submitted_by="ada").id
    declined = client.enqueue(kind, 2, review="outcome", submitted_by="ada").id
    until(lambda: len(client.reviews(kind=kind)) == 2)

    first = client.accept(accepted, wait=PATIENCE)
    second = client.decline(declined, wait=PATIENCE)
    worker.stop()
    thread.join(PATIENCE)

    assert (first.state, first.reason, client.get(accepted).result) == ("completed", "accepted", {"draft": 1})
    assert (second.state, second.reason) == ("cancelled", "declined")
    assert "accept {'draft': 1}" in [line.message for line in client.logs(accepted)]


def test_what_ended_while_nobody_ran_it_is_cleaned_up_behind(server: Server, client: windlass.Client, kind: str) -> None:
    ran: list[str] = []
    worker = windlass.Worker(server.url, server.token, drain_time=0)
    worker.handler(kind)(lambda ctx: ran.append(ctx.id))
    worker.cleanup(kind)(lambda ctx: ctx.cleans)
    thread = threading.Thread(target=worker.run)
    thread.start()
    id = client.enqueue(kind, review="outcome").id
    until(lambda: client.get(id).state == "in_review")

    client.cancel(id)
    cleaned = until(lambda: [job for job in client.list(f"kind:{kind}") if job.id != id and job.is_final])
    worker.stop()
    thread.join(PATIENCE)

    assert (cleaned[0].state, cleaned[0].result, ran) == ("completed", id, [id])


def test_a_worker_that_is_refused_says_so(server: Server) -> None:
    worker = windlass.Worker(server.url, "wl_wrong")
    worker.handler("k")(lambda _: None)

    with pytest.raises(errors.Unauthorized):
        worker.run()
    with pytest.raises(RuntimeError, match="before"):
        worker.run()
    with pytest.raises(ValueError, match="handler"):
        windlass.Worker(server.url, server.token).run()
    with pytest.raises(ValueError, match="slots"):
        windlass.Worker(slots=0)
    with pytest.raises(ValueError, match="already"):
        worker.handler("k")(lambda _: None)


class LateAnswers:
    """The answers to what workers tell of their attempts, which come late.

    Attributes:
        asked: Set once something was told, and done by the server.
        come: To be set when the answers are to come.
    """

    def __init__(self) -> None:
        self.asked, self.come = threading.Event(), threading.Event()

    async def once(self, client: windlass.AsyncClient, call: Any) -> Any:
        """Takes the place of `AsyncClient._once`."""
        answer = await _once(client, call)
        if call.path.endswith("/settle"):
            self.asked.set()
            await asyncio.to_thread(self.come.wait, PATIENCE)
        return answer


_once = windlass.AsyncClient._once


@pytest.fixture
def late_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[LateAnswers]:
    late = LateAnswers()
    monkeypatch.setattr(windlass.AsyncClient, "_once", lambda client, call: late.once(client, call))
    yield late
    late.come.set()


@pytest.mark.parametrize("outcome", ["succeeded", "interrupted"])
def test_a_worker_that_stops_waits_for_what_is_being_told(
    server: Server, kind: str, outcome: str, late_answers: LateAnswers
) -> None:
    worker = windlass.Worker(server.url, server.token, drain_time=0, grace=0.1)
    begun, end = threading.Event(), threading.Event()

    @worker.handler(kind)
    def handle(_: Context) -> None:
        begun.set()
        if outcome == "interrupted":
            end.wait(PATIENCE)  # Deaf: its attempt is given back after its grace.

    with ThreadPoolExecutor() as threads, server.client() as client:
        ended = threads.submit(worker.run)
        id = client.enqueue(kind).id
        assert (begun if outcome == "interrupted" else late_answers.asked).wait(PATIENCE)
        worker.stop()
        assert late_answers.asked.wait(PATIENCE)
        assert not wait([ended], 1).done  # Far longer than the grace and half of it.
        late_answers.come.set()
        outcomes = ended.result(PATIENCE).outcomes
        end.set()

        assert outcomes == {outcome: 1}
        assert [attempt.outcome for attempt in client.attempts(id)] == [outcome]


def test_a_worker_serves_in_the_loop_of_its_caller(server: Server, client: windlass.Client, kind: str) -> None:
    async def main() -> Any:
        worker = windlass.Worker(server.url, server.token)
        loop = asyncio.get_running_loop()

        @worker.handler(kind)
        async def handle(_: AsyncContext) -> bool:
            return asyncio.get_running_loop() is loop

        serving = asyncio.create_task(worker.serve())
        made = client.enqueue(kind)
        result = await asyncio.to_thread(client.result, made.id, PATIENCE)
        worker.stop()
        return result, await serving

    result, report = asyncio.run(main())

    assert (result, report.outcomes) == (True, {"succeeded": 1})


def test_a_server_that_is_away_is_reported_once(caplog: pytest.LogCaptureFixture, own_server: Server) -> None:
    caplog.set_level(logging.INFO, logger="windlass")
    worker = windlass.Worker(own_server.url, own_server.token, drain_time=0)
    worker.handler("k")(lambda _: "done")
    thread = threading.Thread(target=worker.run)
    thread.start()
    with own_server.client() as client:
        client.result(client.enqueue("k").id, PATIENCE)
        own_server.kill()
        until(lambda: "is asked again" in caplog.text)
        own_server.start()
        made = client.enqueue("k")
        assert client.result(made.id, PATIENCE) == "done"
    worker.stop()
    thread.join(PATIENCE)

    messages = [record.getMessage() for record in caplog.records if record.name == "windlass"]
    assert sum("is asked again" in message for message in messages) == 1, messages
    assert sum("answers again" in message for message in messages) == 1, messages
