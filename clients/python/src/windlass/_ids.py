"""Ids of jobs: UUIDv7, drawn here, so that an enqueue whose answer got lost can be asked again."""

from __future__ import annotations

import os
import time
import uuid


def job_id() -> str:
    """A fresh id; later ones sort behind earlier ones, to the millisecond."""
    millis = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))
