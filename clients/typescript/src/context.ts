/** What a handler is given: the job, and what it may say and ask while it runs. */

import type { OpenAttempt } from "./attempt.js";
import type { Enqueued, JobOptions, Lease, LogLevel, NewJob, Parent } from "./shapes.js";

/** Why a handler should stop. */
export type CancelReason = "cancelled" | "timed_out" | "deadline" | "shutdown" | "lease_lost";

export class Context<Args = unknown> {
  readonly #attempt: OpenAttempt;
  /** The job. */
  readonly job: Lease["job"];
  /** What it is to work on; bytes where it is no JSON. */
  readonly args: Args;
  /** Counted starts of the job, this one included. */
  readonly attempt: number;
  /** What the jobs made that it waited for, in the order of its edges. */
  readonly parents: readonly Parent[];
  /** Where an earlier attempt wants it to go on; undefined if none said. */
  readonly checkpoint: unknown;
  /** The numbers of the resources that it holds alone, by name; each is greater than all before it. */
  readonly fences: ReadonlyMap<string, number>;
  /** In the functions of a decision, what was decided, and what the job made that was decided about. */
  readonly settles: Lease["settles"];
  /**
   * Aborted once the handler should stop: the job was cancelled, its time is over, the worker stops, or the lease is lost. What it
   * returns afterwards may not count. Pass it on to whatever takes one.
   */
  readonly signal: AbortSignal;

  constructor(attempt: OpenAttempt, lease: Lease, signal: AbortSignal) {
    const bytes = lease.job.args_base64;
    this.#attempt = attempt;
    this.job = lease.job;
    this.args = (typeof bytes === "string" ? Buffer.from(bytes, "base64") : lease.job.args) as Args;
    this.attempt = lease.job.attempt;
    this.parents = lease.parents ?? [];
    this.checkpoint = lease.job.checkpoint;
    this.fences = new Map((lease.fences ?? []).map((fence) => [fence.resource, fence.number]));
    this.settles = lease.settles;
    this.signal = signal;
  }

  /** The id of the job. */
  get id(): string {
    return this.job.id;
  }

  /** Why the handler should stop, if it should: the first reason there was. */
  get cancelReason(): CancelReason | undefined {
    return this.#attempt.reason;
  }

  /** Adds a line to the log of the job. It is stored soon, and before the attempt ends. */
  log(message: string, level: LogLevel = "info"): void {
    this.#attempt.log(message, level);
  }

  /** Tells how far it has come, from 0 to 100. A server that cannot be reached is no error here. */
  async progress(percent: number, message?: string): Promise<void> {
    await this.#attempt.progress(percent, message);
  }

  /** Stores where another attempt should go on. Once this resolves, it is durable. */
  async saveCheckpoint(value: unknown): Promise<void> {
    await this.#attempt.saveCheckpoint(value);
  }

  /** Enqueues a job, as long as the lease of this attempt holds: a worker that was given up on makes no jobs. */
  async enqueue(kind: string, args?: unknown, options: JobOptions = {}): Promise<Enqueued> {
    const [enqueued] = await this.enqueueBatch([{ ...options, kind, args }]);
    return enqueued!;
  }

  /** Enqueues jobs, all or none, as long as the lease of this attempt holds. */
  async enqueueBatch(jobs: NewJob[]): Promise<Enqueued[]> {
    return this.#attempt.enqueue(jobs);
  }
}
