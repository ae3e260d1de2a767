"""Client and worker for Windlass, a durable job queue.

`Client` and `AsyncClient` enqueue jobs and look after them; `Worker` runs them. `windlass.errors` has a class for each problem.
"""

from . import errors
from .aio import AsyncClient
from .asks import (
    After,
    Debounce,
    Delays,
    Exponential,
    Fixed,
    JobOptions,
    Json,
    Limit,
    Lock,
    NewJob,
    Notify,
    Priority,
    Rate,
    Review,
    Unique,
)
from .client import Client
from .context import AsyncContext, Context
from .errors import JobFailed, Problem, WindlassError
from .outcomes import Cancel, Fatal, Interrupted, RetryAfter, Snooze, Unchanged, Undecodable
from .shapes import (
    Attempt,
    Edge,
    Enqueued,
    ErrorInfo,
    Explanation,
    Job,
    JobState,
    LogLine,
    Obstacle,
    Page,
    Parent,
    Progress,
    Queue,
    ReviewItem,
    Schedule,
    Settled,
)
from .worker import Worker, WorkerReport

__all__ = [
    "After",
    "AsyncClient",
    "AsyncContext",
    "Attempt",
    "Cancel",
    "Client",
    "Context",
    "Debounce",
    "Delays",
    "Edge",
    "Enqueued",
    "ErrorInfo",
    "Explanation",
    "Exponential",
    "Fatal",
    "Fixed",
    "Interrupted",
    "Job",
    "JobFailed",
    "JobOptions",
    "JobState",
    "Json",
    "Limit",
    "Lock",
    "LogLine",
    "NewJob",
    "Notify",
    "Obstacle",
    "Page",
    "Parent",
    "Priority",
    "Problem",
    "Progress",
    "Queue",
    "Rate",
    "RetryAfter",
    "Review",
    "ReviewItem",
    "Schedule",
    "Settled",
    "Snooze",
    "Unchanged",
    "Undecodable",
    "Unique",
    "WindlassError",
    "Worker",
    "WorkerReport",
    "errors",
]
