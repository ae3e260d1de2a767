"""Calls over HTTP: how one is written down, how its answer is read, and when it is asked again. No waiting is done here, so
that the blocking and the async client share all of it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Callable, Generic, TypeVar

import httpx

from .errors import Internal, Problem, RateLimited, Unavailable, Unknown, problem

T = TypeVar("T")

URL_DEFAULT = "http://127.0.0.1:7117"
CONNECT_SECONDS = 5.0
"""How long a connection may take to come about. Longer than any handshake, shorter than a lease."""

ANSWER_SECONDS = 30.0
"""How long an answer may take that nobody waits for on purpose: as long as the server gives itself."""

BACKOFF_BASE, BACKOFF_CAP = 0.1, 5.0
"""Seconds between two tries: the first, and the longest."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and how its answer is read."""

    method: str
    path: str
    read: Callable[[Any], T]
    body: Any = None
    params: Mapping[str, str] = field(default_factory=dict)
    waits: float = 0.0
    """Seconds for which the server may keep it waiting on purpose."""
    repeatable: bool = False
    """Whether asking twice does no more than asking once."""

    def waiting(self, seconds: float) -> Call[T]:
        """The same, which the server may keep waiting for so long."""
        return replace(self, waits=seconds)


class Door:
    """Where the server is, and who asks."""

    def __init__(self, url: str | None, token: str | None) -> None:
        self.url = (url or os.environ.get("WINDLASS_URL") or URL_DEFAULT).rstrip("/")
        self._token = token or os.environ.get("WINDLASS_TOKEN")

    def __repr__(self) -> str:
        return f"Door({self.url!r})"

    def headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "windlass-python/0.1"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def request(self, call: Call[T]) -> dict[str, Any]:
        """The arguments of `httpx` for a call."""
        arguments: dict[str, Any] = {
            "method": call.method,
            "url": f"{self.url}/api/v1{call.path}",
            "timeout": httpx.Timeout(ANSWER_SECONDS + call.waits, connect=CONNECT_SECONDS),
        }
        if call.params:
            arguments["params"] = dict(call.params)
        if call.body is not None:
            arguments["content"] = written(call.body)
            arguments["headers"] = {"Content-Type": "application/json"}
        return arguments


def written(body: Any) -> bytes:
    """The JSON of a body. What has none is refused here, with a message that says where to look."""
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ValueError(f"args and results have to be JSON, or bytes: {error}") from error


def answer(call: Call[T], response: httpx.Response) -> T:
    """What the server answered, or the problem that it tells."""
    if response.is_success:
        return call.read(None if response.status_code == 204 else _json(response))
    retry_after = response.headers.get("Retry-After")
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    if "json" in response.headers.get("Content-Type", ""):
        raise problem(_json(response), response.status_code, seconds)
    # Somebody between us and the server: a proxy that cannot reach it, or one that has given up waiting.
    detail = f"{response.url.host} answered with status {response.status_code}"
    kinds: dict[int, type[Problem]] = {429: RateLimited, 502: Unknown, 503: Unavailable, 504: Unknown}
    raise kinds.get(response.status_code, Internal)(detail, status=response.status_code, retry_after=seconds)


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise Internal(f"the server answered something that is no JSON: {error}") from error


def lost(error: httpx.HTTPError) -> Problem:
    """What it means that there was no answer: nothing happened, or nobody knows."""
    before = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    kind: type[Problem] = Unavailable if isinstance(error, before) else Unknown
    return kind(f"could not reach the server: {error or type(error).__name__}")


def pause(tries: int, error: Problem | None = None) -> float:
    """How many seconds to wait before another try: longer each time, and never the same for all who wait."""
    if error is not None and error.retry_after is not None:
        return error.retry_after
    return float(min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(tries, 10)) * random.uniform(0.5, 1.0))


def is_worth_another_try(call: Call[T], error: Problem) -> bool:
    """Whether asking again may help, and cannot do it twice."""
    if isinstance(error, (Unavailable, RateLimited)):
        return True
    return call.repeatable and isinstance(error, Unknown)


def seconds(span: timedelta | float) -> float:
    """A span, or seconds, as seconds."""
    return span.total_seconds() if isinstance(span, timedelta) else float(span)
