"""How a handler ends an attempt other than by returning (succeeded) or by raising anything else (failed)."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import timedelta

from ._spans import write_span
from .asks import Json

TRACE_MAX = 16 * 1024
"""Characters of a traceback that are told: its end, which is where it went wrong."""


@dataclass(frozen=True)
class Unchanged:
    """Return it where there was nothing to change: the job completes, and skips review."""

    result: Json = None


class Fatal(Exception):
    """Raise it where no further attempt could succeed: the job is dead."""


class Undecodable(Exception):
    """Raise it where the args make no sense: the job is dead, and says why."""


class Cancel(Exception):
    """Raise it to stop the job on purpose: it is cancelled."""


class Interrupted(Exception):
    """Raise it to give the attempt back, uncounted, as when the worker stops: the job runs again at once."""


class Snooze(Exception):
    """Raise it to run again after `delay`. Not counted as an attempt."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__(f"again in {delay}")
        self.delay = delay


class RetryAfter(Exception):
    """Raise it where the attempt failed, and the next is to come after `delay` whatever the job's policy says."""

    def __init__(self, delay: timedelta, message: str = "failed") -> None:
        super().__init__(message)
        self.delay = delay


def verdict_of_result(result: Json) -> dict[str, Json]:
    """What is told of an attempt whose handler returned this. `None` is no result: whoever carries out a decision and returns
    nothing leaves what the job made as it is."""
    outcome, value = ("unchanged", result.result) if isinstance(result, Unchanged) else ("succeeded", result)
    return {"outcome": outcome} if value is None else {"outcome": outcome, "result": value}


def verdict_of_error(error: BaseException) -> dict[str, Json]:
    """What is told of an attempt whose handler raised this."""
    if isinstance(error, Interrupted):
        return {"outcome": "interrupted"}
    if isinstance(error, Snooze):
        return {"outcome": "snoozed", "delay": write_span(error.delay)}
    verdict = {"outcome": "failed", "error": told(error)}
    if isinstance(error, RetryAfter):
        verdict["delay"] = write_span(error.delay)
    for kind, outcome in ((Fatal, "fatal"), (Undecodable, "undecodable"), (Cancel, "cancelled")):
        if isinstance(error, kind):
            verdict["outcome"] = outcome
    return verdict


def told(error: BaseException) -> dict[str, Json]:
    """An exception as the server keeps it: what it says, its class, what caused it, and where it came from."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    trace = "".join(traceback.format_exception(kind, error, error.__traceback__))
    return {"message": str(error) or name, "type": name, "chain": _chain(error), "trace": trace[-TRACE_MAX:]}


def _chain(error: BaseException) -> list[str]:
    causes: list[str] = []
    seen = {id(error)}
    cause = _cause(error)
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        causes.append(str(cause) or type(cause).__qualname__)
        cause = _cause(cause)
    return causes


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)
