/** Client and worker for Windlass, a durable job queue. */

export { Client, type ClientOptions, type DecisionOptions, JobFailed, type ScheduleOptions, type Verb, type Waiting } from "./client.js";
export { type CancelReason, Context } from "./context.js";
export type { Address } from "./http.js";
export type { components, operations, paths } from "./openapi.js";
export { Cancel, Fatal, Interrupted, RetryAfter, Snooze, Unchanged, Undecodable } from "./outcomes.js";
export { Problem, type ProblemCode, isProblem } from "./problem.js";
export type {
  After,
  Attempt,
  Duration,
  Enqueued,
  Explanation,
  Instant,
  Job,
  JobOptions,
  JobState,
  LogLevel,
  LogLine,
  NewJob,
  Page,
  Parent,
  Queue,
  Review,
  Schedule,
  Settled,
} from "./shapes.js";
export { Worker, type WorkerOptions, type WorkerReport } from "./worker.js";
