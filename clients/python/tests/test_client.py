"""What a client asks for is what the server does."""

from __future__ import annotations

import asyncio
import sys
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import windlass
from server import Server, number, reserve
from windlass import After, NewJob, errors
from windlass._spans import read_instant, read_span, write_instant, write_span

HOUR = timedelta(hours=1)


def test_every_option_arrives(client: windlass.Client, kind: str) -> None:
    parent = client.enqueue(kind, delay=HOUR)
    run_at = datetime(2040, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
    id = uuid.UUID("0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11")

    made = client.enqueue(
        kind,
        {"big": 2**53 + 1, "text": "\0ü"},
        id=id,
        version=3,
        queue="images",
        priority="high",
        run_at=run_at,
        deadline=run_at + HOUR,
        timeout=timedelta(milliseconds=1500),
        attempts_max="unlimited",
        losses_max=5,
        retry=windlass.Exponential(base=timedelta(seconds=2), factor=3),
        tags=["a", "b"],
        meta={"tenant": 7},
        notify=[windlass.Notify(mail="ops@example.com", on=["dead"])],
        unique=windlass.Unique(key="k", scope=HOUR, within="global"),
        locks=["disk", windlass.Lock("net", "shared")],
        limits=[windlass.Limit("host", 2)],
        rates=[windlass.Rate("api", 5, timedelta(minutes=1), burst=2)],
        order_key="o",
        review=windlass.Review("outcome", decide_within=HOUR, otherwise="decline"),
        submitted_by="ada",
        after=[parent.id, After(job=parent.id, on="on_finish")],
    )

    job = client.get(made.id)
    assert (made.outcome, made.repeated, job.id) == ("created", False, str(id))
    assert (job.args, job.version, job.queue) == ({"big": 2**53 + 1, "text": "\0ü"}, 3, "images")
    assert (job.priority, job.run_at, job.deadline) == ("high", run_at, run_at + HOUR)
    assert (job.timeout, job.attempts_max, job.losses_max) == (timedelta(seconds=1.5), None, 5)
    assert (job.tags, job.meta, job.submitted_by) == (("a", "b"), {"tenant": 7}, "ada")
    assert (job.state, job.after[0].job, job.has_result) == ("blocked", parent.id, False)
    assert job.options["retry"]["exponential"]["base"] == "2s"
    assert job.options["unique"] == {"key": "k", "within": "global", "scope": {"for": "1h"}}
    assert job.options["locks"] == [
        {"resource": "disk", "mode": "exclusive"},
        {"resource": "net", "mode": "shared"},
    ]
    assert job.options["limits"] == [{"key": "host", "max": 2}]
    assert job.options["rates"][0]["starts"] == 5
    assert job.options["order_key"] == "o"
    assert job.options["review"]["decide_within"] == "1h"
    assert job.options["notify"][0]["mail"] == "ops@example.com"
    assert client.enqueue(kind, id=id).repeated


@pytest.mark.parametrize(
    ("options", "name", "told"),
    [
        ({"retry": windlass.Fixed(HOUR)}, "retry", {"fixed": "1h"}),
        ({"retry": windlass.Delays([HOUR, 2 * HOUR])}, "retry", {"list": ["1h", "2h"]}),
        ({"review": "start"}, "review", {"of": "start"}),
        (
            {"unique": windlass.Unique(on_conflict=windlass.Debounce(HOUR, 2 * HOUR))},
            "unique",
            {"on_conflict": {"debounce": {"delay": "1h", "max_wait": "2h"}}},
        ),
    ],
)
def test_values_are_written_as_the_server_reads_them(
    client: windlass.Client, kind: str, options: Any, name: str, told: Any
) -> None:
    job = client.get(client.enqueue(kind, **options).id)

    assert job.options[name] == told


def test_bytes_are_args_too(client: windlass.Client, kind: str) -> None:
    made = client.enqueue(kind, b"\xff\x00", delay=HOUR)

    assert client.get(made.id).args == b"\xff\x00"


def test_a_batch_is_a_flow(client: windlass.Client, kind: str) -> None:
    first, second = client.enqueue_batch([NewJob(kind, 1, ref="first", delay=HOUR), NewJob(kind, 2, after=[After(ref="first")])])

    assert (first.ref, client.get(second.id).state) == ("first", "blocked")
    with pytest.raises(errors.Invalid) as refused:
        client.enqueue_batch([NewJob(kind), NewJob(kind, after=[After(ref="nobody")])])
    assert refused.value.field == "jobs[1].after[0]"


def test_lists_are_filtered_and_have_pages(client: windlass.Client, kind: str) -> None:
    ids = [client.enqueue(kind, n, delay=HOUR).id for n in range(3)]

    page = client.list(f"kind:{kind} state:scheduled", limit=2)

    assert [job.id for job in page] == ids[:0:-1]
    assert [job.id for job in client.list(f"kind:{kind}", limit=2, after=page.next)] == ids[:1]
    assert [job.id for job in client.iterate(f"kind:{kind}")] == ids[::-1]
    assert len(client.list(f"kind:{kind} state:dead")) == 0


def test_operators_change_what_becomes_of_a_job(client: windlass.Client, kind: str) -> None:
    id = client.enqueue(kind, delay=HOUR).id

    client.run_now(id, reason="now")
    due = client.get(id)
    cancelled = client.cancel(id, reason="no need")
    again = client.cancel(id)
    client.retry(id)
    retried = client.get(id)
    client.cancel(id)
    copy = client.rerun(id)
    client.delete(id)

    assert (due.state, cancelled, again, retried.state) == ("ready", "cancelled", "already_cancelled", "ready")
    assert client.get(copy.id).options["rerun_of"] == id
    with pytest.raises(errors.NotFound):
        client.get(id)


def test_a_result_that_never_comes_says_how_the_job_ended(client: windlass.Client, kind: str) -> None:
    id = client.enqueue(kind, delay=HOUR).id

    with pytest.raises(TimeoutError):
        client.result(id, timeout=0.1)
    client.cancel(id)
    with pytest.raises(windlass.JobFailed) as failed:
        client.result(id)

    assert failed.value.job.state == "cancelled"


def test_queues_are_paused_and_resumed(client: windlass.Client, kind: str) -> None:
    id = client.enqueue(kind, queue=kind).id

    def queue() -> windlass.Queue:
        return next(one for one in client.queues() if one.name == kind)

    client.pause(kind, reason="deploy")
    why = client.explain(id)
    paused = queue().paused
    client.resume(kind)

    assert "paused" in [obstacle.what for obstacle in why.obstacles]
    assert (paused, queue().paused, queue().counts["ready"]) == (True, False, 1)


def test_a_job_is_explained(client: windlass.Client, kind: str) -> None:
    parent = client.enqueue(kind, delay=HOUR)
    child = client.enqueue(kind, after=[parent.id])

    why, later = client.explain(child.id), client.explain(parent.id)

    assert (why.next, why.obstacles[0].what, why.obstacles[0].details["jobs"]) == (False, "dependencies", [parent.id])
    assert later.until is not None
    assert later.until == later.obstacles[0].until == client.get(parent.id).run_at


def test_schedules_are_made_changed_and_removed(client: windlass.Client, kind: str) -> None:
    job = NewJob(kind, {"n": 1}, tags=["nightly"])

    created = client.put_schedule(kind, job, cron="0 3 * * *", time_zone="Europe/Berlin", missed=5, paused=True)
    same = client.put_schedule(kind, job, cron="0 3 * * *", time_zone="Europe/Berlin", missed=5)
    changed = client.put_schedule(kind, job, every=HOUR, overlap="allow", jitter=timedelta(seconds=3))
    client.resume_schedule(kind)
    schedule = client.schedule(kind)
    made = client.run_schedule(kind)
    ticks = client.schedule_next(kind, 3)
    client.pause_schedule(kind)

    assert (created, same, changed) == ("created", "unchanged", "changed")
    assert (schedule.every, schedule.state) == (HOUR, "active")
    assert (client.get(made).tags, ticks[1] - ticks[0]) == (("nightly",), HOUR)
    assert client.schedule(kind).state == "paused"
    assert kind in [one.name for one in client.schedules()]
    client.delete_schedule(kind)
    with pytest.raises(errors.NotFound):
        client.schedule(kind)


def test_reviews_are_decided(client: windlass.Client, kind: str) -> None:
    accepted = client.enqueue(kind, {"n": 1}, review="start", submitted_by="ada").id
    declined = client.enqueue(kind, review="start", submitted_by="ada").id

    (item,) = [one for one in client.reviews(kind=kind) if one.job == accepted]
    first = client.accept(accepted, comment="fine", digest=item.digest, args={"n": 2})
    second = client.decline(declined, comment="no")

    assert (item.of, item.open, item.args) == ("start", True, {"n": 1})
    assert (first.state, client.get(accepted).args) == ("ready", {"n": 2})
    assert (second.state, second.reason) == ("cancelled", "declined")
    ruled = client.review(accepted)
    assert ruled is not None
    assert ruled.ruling is not None
    assert (ruled.ruling["decision"], ruled.ruling["comment"]) == ("accept", "fine")
    with pytest.raises(errors.NotReviewable):
        client.accept(accepted)


def test_problems_are_told_apart_by_class(server: Server, client: windlass.Client, kind: str) -> None:
    first = client.enqueue(kind, unique="u", delay=HOUR).id
    unique = windlass.Unique("u", on_conflict="reject")

    with pytest.raises(errors.Duplicate) as duplicate:
        client.enqueue(kind, unique=unique)
    with pytest.raises(errors.Invalid) as invalid:
        client.enqueue(kind, queue="")
    with pytest.raises(errors.NotReady):
        client.retry(first)
    with windlass.Client(server.url, "wl_wrong") as stranger, pytest.raises(errors.Unauthorized):
        stranger.get(first)

    assert (duplicate.value.job, duplicate.value.status) == (first, 409)
    assert (invalid.value.field, invalid.value.code) == ("queue", "invalid")


def test_what_cannot_be_written_is_refused_before_it_is_sent(client: windlass.Client, kind: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        client.enqueue(kind, run_at=datetime(2040, 1, 1))
    with pytest.raises(ValueError, match="negative"):
        client.enqueue(kind, delay=-HOUR)
    for args in (object(), float("nan")):
        with pytest.raises(ValueError, match="JSON"):
            client.enqueue(kind, args)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    port = reserve()
    with windlass.Client(f"http://127.0.0.1:{number(port)}", "wl_x", patience=0) as client, pytest.raises(errors.Unavailable):
        client.enqueue("k")
    port.close()


def test_the_address_and_the_token_may_come_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("WINDLASS_URL", server.url)
    monkeypatch.setenv("WINDLASS_TOKEN", server.token)

    with windlass.Client() as client:
        assert client.enqueue(kind, delay=HOUR).outcome == "created"


def test_no_token_is_ever_shown() -> None:
    token = "wl_0123456789"
    client = windlass.Client("http://localhost", token)
    client.close()

    for one in (client, windlass.AsyncClient("http://localhost", token), windlass.Worker("http://localhost", token)):
        assert token not in f"{one!r} {one}"
        assert token not in str([repr(value) for value in vars(one).values()])


def test_the_async_client_does_the_same(server: Server, kind: str) -> None:
    async def main() -> None:
        async with windlass.AsyncClient(server.url, server.token) as client:
            made = await asyncio.gather(*(client.enqueue(kind, n, delay=HOUR) for n in range(20)))
            assert {one.id async for one in _jobs(client)} == {one.id for one in made}
            await client.cancel(made[0].id)
            assert (await client.wait(made[0].id)).state == "cancelled"
            with pytest.raises(errors.NotFound):
                await client.get(uuid.uuid4())

    def _jobs(client: windlass.AsyncClient) -> Any:
        return client.iterate(f"kind:{kind}")

    asyncio.run(main())


def test_the_async_client_is_made_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "tools"))
    import make_async_client

    text = (make_async_client.SOURCES / "aio.py").read_text()

    assert text == make_async_client.made(), f"run {sys.executable} tools/make_async_client.py"


@pytest.mark.parametrize(
    ("text", "span"),
    [("1h30m", 1.5 * HOUR), ("250ms", timedelta(milliseconds=250)), ("0s", timedelta(0)), ("1d2h", 26 * HOUR)],
)
def test_spans_are_read(text: str, span: timedelta) -> None:
    assert read_span(text) == span
    assert read_span(write_span(span)) == span


def test_instants_are_read_whatever_their_fraction_and_zone() -> None:
    instant = datetime(2026, 11, 21, 8, 0, 0, 500_000, tzinfo=timezone.utc)

    for text in ("2026-11-21T08:00:00.5Z", "2026-11-21T09:00:00.500000999+01:00", "2026-11-21t07:00:00.5-01:00"):
        assert read_instant(text) == instant
    assert read_instant(write_instant(instant)) == instant
    for wrong in ("2026-11-21", "soon"):
        with pytest.raises(ValueError, match="instant"):
            read_instant(wrong)
