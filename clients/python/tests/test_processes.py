"""Workers and servers that are killed, stopped, and started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

import windlass
from server import PATIENCE, Server, until
from windlass import _calls, errors

PROGRAM = Path(__file__).with_name("worker_program.py")
SOURCES = Path(__file__).parents[1] / "src"

Work = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def work(own_server: Server) -> Iterator[Work]:
    """Starts a worker in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def work(slots: int = 4, lease: float = 30, drain_time: float = 30, grace: float = 5) -> subprocess.Popen[str]:
        env = {"WINDLASS_URL": own_server.url, "WINDLASS_TOKEN": own_server.token, "PYTHONPATH": str(SOURCES)}
        command = [sys.executable, str(PROGRAM), *map(str, (slots, lease, drain_time, grace))]
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield work
    for process in started:
        process.kill()
        process.communicate()


def begun(client: windlass.Client, id: str) -> str:
    """Waits until the job runs, and says under which token."""

    def token() -> str:
        progress = client.get(id).progress
        return progress.message or "" if progress else ""

    return until(token, "the job runs")


def test_jobs_end_once_though_the_server_was_killed(own_server: Server, work: Work) -> None:
    worker = work()
    with own_server.client() as client:
        ids = [client.enqueue("count").id for _ in range(3)]
        for id in ids:
            begun(client, id)

        own_server.kill()
        own_server.start()
        for id in ids:
            client.enqueue("end", tags=[id])

        for id in ids:
            job = client.wait(id, PATIENCE)
            assert (job.result, job.attempt, job.losses) == ("ended", 1, 0)
            assert [one.outcome for one in client.attempts(id)] == ["succeeded"]
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=PATIENCE)
    assert out == "{'succeeded': 3}\n"
    assert err.count("is asked again") <= 2, err


def test_what_a_killed_worker_held_is_run_by_another(own_server: Server, work: Work) -> None:
    first = work(lease=6)
    with own_server.client() as client:
        id = client.enqueue("count").id
        stale = begun(client, id)

        first.kill()
        work()
        until(lambda: begun(client, id) != stale, "another worker takes it")
        late = own_server.post(f"/leases/{stale}/settle", {"outcome": "succeeded", "result": "stale"})
        client.enqueue("end", tags=[id])
        job = client.wait(id, PATIENCE)

        assert (late.status_code, late.json()["code"]) == (409, "lease_lost")
        assert (job.result, job.losses) == ("ended", 1)
        assert [one.outcome for one in client.attempts(id)] == ["lost", "succeeded"]


def test_a_paused_worker_drops_what_it_lost(own_server: Server, work: Work) -> None:
    # One slot, which the job has: so no claim of it waits while it is paused, and is given the job once more.
    paused = work(slots=1, lease=6)
    with own_server.client() as client:
        id = client.enqueue("count").id
        stale = begun(client, id)
        paused.send_signal(signal.SIGSTOP)
        work()
        until(lambda: begun(client, id) != stale, "another worker takes it")
        client.enqueue("end", tags=[id])
        assert client.wait(id, PATIENCE).result == "ended"

        paused.send_signal(signal.SIGCONT)
        paused.send_signal(signal.SIGTERM)
        out, err = paused.communicate(timeout=PATIENCE)

        assert out == "{'dropped': 1}\n"
        assert "is lost" in err
        assert [one.outcome for one in client.attempts(id)] == ["lost", "succeeded"]


def test_a_worker_that_stops_lets_its_handlers_end(own_server: Server, work: Work) -> None:
    worker = work()
    with own_server.client() as client:
        id = client.enqueue("count").id
        begun(client, id)

        worker.send_signal(signal.SIGTERM)
        client.enqueue("end", tags=[id])
        out, _ = worker.communicate(timeout=PATIENCE)

        assert (out, worker.returncode) == ("{'succeeded': 1}\n", 0)
        assert client.get(id).result == "ended"
        later = client.enqueue("count").id
        assert client.get(later).state == "ready"


# One ends when it is asked to. The other takes its whole grace, and half of it is left to tell of it.
@pytest.mark.parametrize(("kind", "grace"), [("count", 10), ("deaf", 2)])
def test_a_worker_that_stops_gives_back_what_does_not_end(own_server: Server, work: Work, kind: str, grace: float) -> None:
    worker = work(drain_time=0, grace=grace)
    with own_server.client() as client:
        id = client.enqueue(kind, attempts_max=1).id
        until(lambda: client.get(id).progress)

        worker.send_signal(signal.SIGTERM)
        out, _ = worker.communicate(timeout=PATIENCE)
        job = client.get(id)

        assert (out, worker.returncode) == ("{'interrupted': 1}\n", 0)
        assert (job.state, job.attempt, job.losses) == ("ready", 0, 0)
        assert [one.outcome for one in client.attempts(id)] == ["interrupted"]


def test_a_second_signal_ends_a_worker_at_once(own_server: Server, work: Work) -> None:
    worker = work(drain_time=PATIENCE * 10)
    with own_server.client() as client:
        id = client.enqueue("deaf").id
        until(lambda: client.get(id).progress)

        # Two that come before the first is noticed are one: they are sent until there is an end.
        def ended() -> bool:
            worker.send_signal(signal.SIGTERM)
            return worker.poll() is not None

        until(ended)

        assert worker.returncode == 128 + signal.SIGTERM
        assert client.get(id).state == "running"


GROUP = 100
"""Claims that are made at a time: so many connections come about at once even on a machine that is busy."""


def test_idle_workers_cost_next_to_nothing(own_server: Server) -> None:
    count = 1_000
    pid = own_server.process.pid

    def waiting() -> int:
        metrics = own_server.get("/metrics").text
        found = re.search(r"claims_waiting (\d+)", metrics)
        return int(found.group(1)) if found else 0

    def claim(client: windlass.AsyncClient, number: int) -> Any:
        request = {"worker": f"idle-{number}", "kinds": ["none"], "queues": "*"}
        return asyncio.create_task(client._once(_calls.claim(request, 30)))

    async def main() -> tuple[int, float]:
        async with windlass.AsyncClient(own_server.url, own_server.token) as client:
            await asyncio.wait({claim(client, 0)}, timeout=0.5)
            before = rss(pid)
            claims: set[Any] = set()
            for first in range(0, count, GROUP):
                claims |= {claim(client, number) for number in range(first, first + GROUP)}
                while await asyncio.to_thread(waiting) < len(claims):
                    assert not any(task.done() for task in claims), "a claim was not kept waiting"
            begun, used = time.monotonic(), processor_seconds(pid)
            done, _ = await asyncio.wait(claims, timeout=3)
            part = (processor_seconds(pid) - used) / (time.monotonic() - begun)
            grown = rss(pid) - before
            assert not done
            for task in claims:
                task.cancel()
            await asyncio.gather(*claims, return_exceptions=True)
            return grown, part

    grown, part = asyncio.run(main())

    print(f"{count} idle claims: {grown / 2**20:.1f} MiB more, {part:.1%} of a processor")
    assert grown < 50 * 2**20
    assert part < 0.1


def rss(pid: int) -> int:
    """The memory of a process, in bytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024  # type: ignore[union-attr]


def processor_seconds(pid: int) -> float:
    """How long processors have worked for a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_quick_start_of_the_readme_runs(own_server: Server, tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    program = tmp_path / "quick_start.py"
    program.write_text(blocks[0])
    env = {"WINDLASS_URL": own_server.url, "WINDLASS_TOKEN": own_server.token, "PYTHONPATH": str(SOURCES)}

    with own_server.client() as client:
        process = subprocess.Popen([sys.executable, str(program)], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True)
        try:
            until(lambda: client.list("kind:thumbnail state:completed"), "the job of the quick start ends")
        finally:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=PATIENCE)

    assert len(blocks[0].splitlines()) <= 25
    assert process.returncode == 0
    assert "a.png" in out


def test_an_unknown_problem_is_a_problem() -> None:
    assert isinstance(errors.problem({"code": "surprise"}, 500, None), errors.Internal)
