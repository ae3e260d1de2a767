"""A real server for tests, and waiting for states."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, TypeVar

import httpx

import windlass

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds after which a test gives up on a state: far more than it takes, since machines are busy."""


def program() -> str:
    """The `windlass` to test against: `WINDLASS_BIN`, or what cargo has built."""
    named = os.environ.get("WINDLASS_BIN")
    target = Path(__file__).parents[3] / "target"
    built = [target / profile / "windlass" for profile in ("debug", "release")]
    found = [named] if named else [str(path) for path in built if path.exists()]
    assert found, "there is no windlass program: cargo build --package windlass-cli, or set WINDLASS_BIN"
    return found[0]


def until(what: Callable[[], T], says: str = "") -> T:
    """What `what` returns, once that is true; fails when it takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"it took too long: {says or what}")


class Server:
    """`windlass serve` on a file of its own. May be killed and started again, at the same address."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="windlass-python-")
        self.port = reserve()
        self.process: subprocess.Popen[str]
        self.start()

    def start(self) -> None:
        store = f"{self.folder.name}/jobs.db"
        command = [program(), "--store", store, "serve", "--listen", f"127.0.0.1:{number(self.port)}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.split()[-1]
        self.token = Path(f"{store}.token").read_text().strip()

    def kill(self) -> None:
        """As a crash does: no word to anybody."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.port.close()
        self.folder.cleanup()

    def client(self) -> windlass.Client:
        return windlass.Client(self.url, self.token)

    def post(self, path: str, body: object) -> httpx.Response:
        """A request as a program in yet another language sends it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.post(f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=PATIENCE)

    def get(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=PATIENCE)


def reserve() -> socket.socket:
    """A port that nobody is given until it is closed: bound, but not listening. Who connects to it is refused, unless a server
    was told to listen there; Linux lets it, since both ask for an address that may be shared."""
    port = socket.socket()
    port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port.bind(("127.0.0.1", 0))
    return port


def number(port: socket.socket) -> int:
    return int(port.getsockname()[1])
