"""Makes `aio.py` of `client.py`: the same calls, awaited. `python tools/make_async_client.py` writes it; a test checks that it
is current."""

import re
from pathlib import Path

SOURCES = Path(__file__).parent.parent / "src" / "windlass"

CHANGES = [
    (
        r'"""The client that blocks\."""',
        '"""The client for asyncio: `client.py`, awaited. Made by `tools/make_async_client.py`."""',
    ),
    (r"\bimport time\b", "import asyncio\nimport time"),
    (r"\bIterable, Iterator\b", "AsyncIterator, Iterable"),
    (r"\bIterator\[Job\]", "AsyncIterator[Job]"),
    (r"\bhttpx\.Client\b", "httpx.AsyncClient"),
    (r"\bClient\(", "AsyncClient("),
    (r"class Client:", "class AsyncClient:"),
    (r"Threads may share one\.", "Tasks of one event loop may share one."),
    (r"    def (?!__init__|__repr__)", "    async def "),
    (r"__enter__", "__aenter__"),
    (r"__exit__", "__aexit__"),
    (r"self\._http\.close\(\)", "await self._http.aclose()"),
    (r"self\.(_send|_once|_http\.request|wait|list|close)\(", r"await self.\1("),
    (r"time\.sleep\(", "await asyncio.sleep("),
]


def made() -> str:
    """The text of `aio.py`."""
    text = (SOURCES / "client.py").read_text()
    for pattern, replacement in CHANGES:
        text = re.sub(pattern, replacement, text)
    return text.replace("httpx.AsyncAsyncClient", "httpx.AsyncClient")


if __name__ == "__main__":
    (SOURCES / "aio.py").write_text(made())
