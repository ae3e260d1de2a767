/** The client: asks a Windlass server for things. */

import { type Address, type Call, Door } from "./http.js";
import { jobId } from "./ids.js";
import {
  type Attempt,
  type Duration,
  type Enqueued,
  type Explanation,
  type Instant,
  type Job,
  type JobOptions,
  type LogLine,
  type NewJob,
  type Page,
  type Queue,
  type Review,
  type Schedule,
  type Settled,
  jobBody,
  millis,
  span,
} from "./shapes.js";

/** How long the server keeps one request waiting, at the most, in milliseconds. */
const WAIT_MAX = 30_000;

/** How a client is made. */
export interface ClientOptions extends Address {
  /** For how many milliseconds a call is tried again while the server cannot be reached; 15,000 unless said. */
  patience?: number;
}

/** A wait that may be given up. */
export interface Waiting {
  /** How long to wait at the most; for ever unless said. */
  timeout?: Duration;
  signal?: AbortSignal;
}

/** A job whose result was waited for has ended without one. */
export class JobFailed extends Error {
  override readonly name = "JobFailed";

  constructor(readonly job: Job) {
    super(`job ${job.id} is ${job.state}: ${job.error?.message ?? job.reason ?? ""}`);
  }
}

/** When a schedule ticks, and what becomes of ticks. `cron` with `time_zone`, or `every`. */
export interface ScheduleOptions {
  cron?: string;
  time_zone?: string;
  every?: Duration;
  overlap?: "skip" | "allow" | "queue_one";
  missed?: "one" | "skip" | { all: number };
  jitter?: Duration;
  starts_at?: Instant;
  ends_at?: Instant;
  paused?: boolean;
  reason?: string;
}

/** A decision, and what there is to say about it. */
export interface DecisionOptions {
  comment?: string;
  /** The args that the job is to start with instead, where its start is decided about. */
  args?: unknown;
  /** What the reviewer had before them; whatever there is now, unless said. */
  digest?: string;
  /** How long to wait until the decision has been carried out, 30 s at the most. */
  wait?: Duration;
}

/** Why something is changed. */
export interface Verb {
  reason?: string;
}

/**
 * Asks a Windlass server for things. Every method rejects with a `Problem` for what the server refuses. While the server cannot be
 * reached, a call is tried again as long as that cannot do it twice; jobs have ids that are drawn here, so an enqueue never makes
 * two.
 *
 * Numbers beyond 2^53 in args and results lose digits, as in all JSON that JavaScript reads: write them as texts.
 */
export class Client {
  readonly #door: Door;
  readonly #patience: number;

  constructor(options: ClientOptions = {}) {
    this.#door = new Door(options);
    this.#patience = options.patience ?? 15_000;
  }

  /** Enqueues a job. Once this resolves, it is durable. */
  async enqueue(kind: string, args?: unknown, options: JobOptions = {}): Promise<Enqueued> {
    return this.#send({ method: "POST", path: "/jobs", body: asked({ ...options, kind, args }), repeatable: true });
  }

  /** Enqueues up to 1,000 jobs, all or none. They name each other in `after` by their `ref`. */
  async enqueueBatch(jobs: NewJob[]): Promise<Enqueued[]> {
    const body = { jobs: jobs.map(asked) };
    const call: Call = { method: "POST", path: "/jobs/batch", body, repeatable: true };
    return (await this.#send<{ results: Enqueued[] }>(call)).results;
  }

  /** The job as it is now. */
  async get(id: string): Promise<Job> {
    return this.#get(`/jobs/${encodeURIComponent(id)}`);
  }

  /** The job once it is final. Rejects with a `TimeoutError` if that takes longer than `timeout`. */
  async wait(id: string, { timeout, signal }: Waiting = {}): Promise<Job> {
    const until = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + millis(span(timeout));
    for (;;) {
      const waits = Math.max(0, Math.min(WAIT_MAX, until - Date.now()));
      const path = `/jobs/${encodeURIComponent(id)}`;
      const job = await this.#send<Job>({ method: "GET", path, query: { wait: span(waits) }, waits, repeatable: true, signal });
      if (isFinal(job)) {
        return job;
      }
      if (Date.now() >= until) {
        throw new DOMException(`job ${id} is ${job.state} after ${String(timeout)}`, "TimeoutError");
      }
    }
  }

  /** What the job made, once it is final. Rejects with `JobFailed` if it did not complete. */
  async result(id: string, waiting: Waiting = {}): Promise<unknown> {
    const job = await this.wait(id, waiting);
    if (job.state !== "completed") {
      throw new JobFailed(job);
    }
    return job.result;
  }

  /** A page of jobs, the last enqueued first. The filter is that of `docs/http.md`, such as `state:dead queue:mail`. */
  async list(filter?: string, page: { limit?: number; after?: string } = {}): Promise<Page<Job>> {
    const answer = await this.#get<{ jobs: Job[]; next?: string }>("/jobs", { filter, ...page });
    return { items: answer.jobs, next: answer.next };
  }

  /** All jobs that match, page by page. */
  async *iterate(filter?: string): AsyncGenerator<Job> {
    let page = await this.list(filter, { limit: 500 });
    yield* page.items;
    while (page.next !== undefined) {
      page = await this.list(filter, { limit: 500, after: page.next });
      yield* page.items;
    }
  }

  /** The attempts of a job, the first first. */
  async attempts(id: string): Promise<Attempt[]> {
    return (await this.#get<{ attempts: Attempt[] }>(`/jobs/${encodeURIComponent(id)}/attempts`)).attempts;
  }

  /** A page of the log lines of a job. */
  async logs(id: string, page: { limit?: number; after?: string } = {}): Promise<Page<LogLine>> {
    const path = `/jobs/${encodeURIComponent(id)}/logs`;
    const answer = await this.#get<{ lines: LogLine[]; next?: string }>(path, page);
    return { items: answer.lines, next: answer.next };
  }

  /** Why a job does not run, and when it will. */
  async explain(id: string): Promise<Explanation> {
    return this.#get(`/jobs/${encodeURIComponent(id)}/explain`);
  }

  /** Stops a job on purpose; `requested` where it runs, and its worker is told. */
  async cancel(id: string, verb: Verb = {}): Promise<"cancelled" | "requested" | "already_cancelled"> {
    const path = `/jobs/${encodeURIComponent(id)}/cancel`;
    const call: Call = { method: "POST", path, body: verb, repeatable: true };
    return (await this.#send<{ outcome: "cancelled" | "requested" | "already_cancelled" }>(call)).outcome;
  }

  /** Gives a job a new budget of attempts. */
  async retry(id: string, verb: Verb = {}): Promise<void> {
    await this.#send({ method: "POST", path: `/jobs/${encodeURIComponent(id)}/retry`, body: verb });
  }

  /** Makes a waiting job due now. */
  async runNow(id: string, verb: Verb = {}): Promise<void> {
    await this.#send({ method: "POST", path: `/jobs/${encodeURIComponent(id)}/run-now`, body: verb });
  }

  /** Enqueues a further copy of a final job. */
  async rerun(id: string, verb: Verb = {}): Promise<Enqueued> {
    const path = `/jobs/${encodeURIComponent(id)}/rerun`;
    return this.#send({ method: "POST", path, body: { ...verb, id: jobId() }, repeatable: true });
  }

  /** Removes a job for ever. */
  async delete(id: string, verb: Verb = {}): Promise<void> {
    await this.#send({ method: "DELETE", path: `/jobs/${encodeURIComponent(id)}`, body: verb });
  }

  /** What is to be decided, the oldest first. */
  async reviews(query: { queue?: string; kind?: string; limit?: number; after?: string } = {}): Promise<Page<Review>> {
    const answer = await this.#get<{ reviews: Review[]; next?: string }>("/reviews", query);
    return { items: answer.reviews, next: answer.next };
  }

  /** What is to be decided about a job, or was last. */
  async review(id: string): Promise<Review | undefined> {
    const path = `/jobs/${encodeURIComponent(id)}/review`;
    return (await this.#get<{ review: Review | null }>(path)).review ?? undefined;
  }

  /** Accepts a job in review. */
  async accept(id: string, options: DecisionOptions = {}): Promise<Settled & { settled?: boolean }> {
    return this.#decide(id, "accept", options);
  }

  /** Declines a job in review. */
  async decline(id: string, options: DecisionOptions = {}): Promise<Settled & { settled?: boolean }> {
    return this.#decide(id, "decline", options);
  }

  async #decide(id: string, decision: string, options: DecisionOptions): Promise<Settled & { settled?: boolean }> {
    const waits = options.wait === undefined ? undefined : Math.min(millis(span(options.wait)), WAIT_MAX);
    const body = { ...options, decision, wait: waits === undefined ? undefined : span(waits) };
    return this.#send({ method: "POST", path: `/jobs/${encodeURIComponent(id)}/review`, body, waits: waits ?? 0 });
  }

  /** Every queue, and how full it is. */
  async queues(): Promise<Queue[]> {
    return (await this.#get<{ queues: Queue[] }>("/queues")).queues;
  }

  /** Stops claims from a queue. What runs goes on. */
  async pause(queue: string, verb: Verb = {}): Promise<void> {
    const path = `/queues/${encodeURIComponent(queue)}/pause`;
    await this.#send({ method: "POST", path, body: verb, repeatable: true });
  }

  /** Allows claims from a queue again. */
  async resume(queue: string, verb: Verb = {}): Promise<void> {
    const path = `/queues/${encodeURIComponent(queue)}/resume`;
    await this.#send({ method: "POST", path, body: verb, repeatable: true });
  }

  /** Makes a schedule, or changes it. */
  async putSchedule(name: string, job: NewJob, options: ScheduleOptions): Promise<"created" | "changed" | "unchanged"> {
    const { every, jitter, ...rest } = options;
    const body = {
      ...rest,
      ...(every === undefined ? {} : { every: span(every) }),
      ...(jitter === undefined ? {} : { jitter: span(jitter) }),
      job: jobBody(job),
    };
    const path = `/schedules/${encodeURIComponent(name)}`;
    const call: Call = { method: "PUT", path, body, repeatable: true };
    return (await this.#send<{ outcome: "created" | "changed" | "unchanged" }>(call)).outcome;
  }

  /** One schedule. */
  async schedule(name: string): Promise<Schedule> {
    return this.#get(`/schedules/${encodeURIComponent(name)}`);
  }

  /** A page of schedules. */
  async schedules(page: { limit?: number; after?: string } = {}): Promise<Page<Schedule>> {
    const answer = await this.#get<{ schedules: Schedule[]; next?: string }>("/schedules", page);
    return { items: answer.schedules, next: answer.next };
  }

  /** Removes a schedule. The jobs it made stay. */
  async deleteSchedule(name: string, verb: Verb = {}): Promise<void> {
    await this.#send({ method: "DELETE", path: `/schedules/${encodeURIComponent(name)}`, body: verb });
  }

  #get<T>(path: string, query: Call["query"] = {}): Promise<T> {
    return this.#send({ method: "GET", path, query, repeatable: true });
  }

  #send<T>(call: Call): Promise<T> {
    return this.#door.send(call, this.#patience);
  }
}

/** The body that asks for a job, with an id: then it can be asked for again. */
export function asked(job: NewJob): Record<string, unknown> {
  return { id: jobId(), ...jobBody(job) };
}

/** Whether nothing more becomes of a job. */
export function isFinal(job: { state: string }): boolean {
  return ["completed", "cancelled", "dead"].includes(job.state);
}
