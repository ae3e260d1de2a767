/** What is asked and answered: the types of `docs/openapi.json` under short names, and those that are friendlier than JSON. */

import type { components } from "./openapi.js";

type Schemas = components["schemas"];

/** A span of time: milliseconds, or a text such as `30s`, `5m` or `1h30m`. */
export type Duration = number | string;

/** An instant: a date, or a text of RFC 3339 in UTC. */
export type Instant = Date | string;

export type Job = Schemas["JobWithEdges"];
export type JobState = Schemas["JobState"];
export type Attempt = Schemas["AttemptShape"];
export type LogLine = Schemas["LogShape"];
export type Enqueued = Schemas["EnqueuedShape"];
export type Explanation = Schemas["ExplanationShape"];
export type Review = Schemas["ReviewShape"];
export type Queue = Schemas["QueueShape"];
export type Schedule = Schemas["ScheduleShape"];
export type Settled = Schemas["SettledShape"];
export type Lease = Schemas["LeasedShape"];
export type Held = Schemas["HeldShape"];
export type Parent = Schemas["InputShape"];
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** Some of a list; `next` goes into `after` to go on. */
export interface Page<T> {
  items: T[];
  next?: string | undefined;
}

/** A job that is waited for: its id, or an edge that says more. Inside a batch, `ref` names another of it. */
export type After =
  | string
  | { job: string; on?: "on_success" | "on_finish" }
  | { ref: string; on?: "on_success" | "on_finish" };

/** What can be asked for with a job. What is left out is as the server has it by default. */
export interface JobOptions
  extends Omit<
    Partial<Schemas["JobRequest"]>,
    "kind" | "args" | "run_at" | "delay" | "deadline" | "timeout" | "after"
  > {
  /** Not before this instant. Excludes `delay`. */
  run_at?: Instant;
  /** Not before this long after it is enqueued. Excludes `run_at`. */
  delay?: Duration;
  /** When it must be finished: a date or a text of RFC 3339; or a time from its enqueue on. */
  deadline?: Instant | number;
  /** How long one attempt may take. */
  timeout?: Duration;
  /** The jobs it waits for. */
  after?: After[];
}

/** A job for `enqueueBatch` and for schedules. */
export interface NewJob extends JobOptions {
  kind: string;
  args?: unknown;
}

/** A span as the server reads it. */
export function span(duration: Duration): string {
  return typeof duration === "number" ? `${Math.round(duration)}ms` : duration;
}

/** The milliseconds of a span that the server wrote. */
export function millis(text: string): number {
  const units: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|us|µs|ns|d|h|m|s)/g)) {
    sum += Number(number) * units[unit!]!;
  }
  return sum;
}

/** The body that asks for a job. */
export function jobBody(job: NewJob): Record<string, unknown> {
  const body: Record<string, unknown> = { ...job };
  for (const name of ["delay", "timeout", "deadline"] as const) {
    const value = job[name];
    if (typeof value === "number") {
      body[name] = span(value);
    }
  }
  if (job.after) {
    body["after"] = job.after.map((edge) => (typeof edge === "string" ? { job: edge } : edge));
  }
  return body;
}
