"""Spans and instants as the server writes them: `1h30m`, and RFC 3339 in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_UNITS = {
    "w": 7 * 24 * 3600.0,
    "d": 24 * 3600.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "ns": 1e-9,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|us|µs|ns|w|d|h|m|s)\s*")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))")


def write_span(span: timedelta) -> str:
    """The span as the server reads it, exact to the microsecond."""
    if span < timedelta(0):
        raise ValueError(f"{span} is negative: a span is zero or more")
    micros = span // timedelta(microseconds=1)
    return f"{micros // 1_000_000}s" if micros % 1_000_000 == 0 else f"{micros}us"


def read_span(text: str) -> timedelta:
    """The span that the server wrote."""
    seconds, rest = 0.0, text
    while rest:
        part = _PART.match(rest)
        if part is None:
            raise ValueError(f"{text!r} is no span")
        seconds += float(part.group(1)) * _UNITS[part.group(2)]
        rest = rest[part.end() :]
    return timedelta(seconds=seconds)


def write_instant(instant: datetime) -> str:
    """The instant as the server reads it. One without a time zone is refused: nobody knows which it is."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: give it one, such as timezone.utc")
    return instant.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def read_instant(text: str) -> datetime:
    """The instant that the server wrote, in UTC."""
    parts = _INSTANT.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is no instant")
    day, time, fraction, sign, hours, minutes = parts.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    offset = timedelta(0) if sign is None else timedelta(hours=int(hours), minutes=int(minutes))
    instant = datetime.fromisoformat(f"{day}T{time}.{micros}+00:00")
    return instant + offset if sign == "-" else instant - offset
