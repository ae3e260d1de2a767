"""One server for all tests that leave it as it is, and workers that end with their tests."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest

import windlass
from server import PATIENCE, Server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server of the test's own, which it may kill."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def client(server: Server) -> Iterator[windlass.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def kind() -> str:
    """A kind that no other test has."""
    return f"kind-{next(_numbers)}"


@pytest.fixture
def start(server: Server) -> Iterator[Callable[..., windlass.Worker]]:
    """Starts a worker with these handlers, each by its kind; it is stopped when the test ends."""
    started: list[tuple[windlass.Worker, threading.Thread]] = []

    def start(handlers: dict[str, Any], **settings: Any) -> windlass.Worker:
        settings.setdefault("drain_time", 0)
        settings.setdefault("grace", 1)
        worker = windlass.Worker(server.url, server.token, **settings)
        for kind, function in handlers.items():
            worker.handler(kind)(function)
        thread = threading.Thread(target=worker.run)
        thread.start()
        started.append((worker, thread))
        return worker

    yield start
    for worker, _ in started:
        worker.stop()
    for _, thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a worker does not stop"
