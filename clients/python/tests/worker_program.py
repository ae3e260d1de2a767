"""A worker as a program: the tests start it, and end it in many ways."""

import logging
import sys
import threading

import windlass

logging.basicConfig(level=logging.INFO, stream=sys.stderr)
logging.getLogger("httpx").setLevel(logging.WARNING)

slots, lease, drain_time, grace = (float(argument) for argument in sys.argv[1:5])
worker = windlass.Worker(slots=int(slots), lease=lease, drain_time=drain_time, grace=grace)


@worker.handler("count")
def count(ctx: windlass.Context) -> str:
    """Says that it begins, and goes on until the job has a tag for it to end."""
    ctx.progress(1, ctx._attempt._token)
    with windlass.Client() as client:
        while not client.list(f"kind:end tag:{ctx.id}"):
            if ctx.cancelled.wait(0.02):
                raise windlass.Interrupted
    return "ended"


@worker.handler("deaf")
def deaf(ctx: windlass.Context) -> None:
    """Never ends by itself, and listens to nobody."""
    ctx.progress(1)
    while True:
        threading.Event().wait()


print(worker.run().outcomes, flush=True)
