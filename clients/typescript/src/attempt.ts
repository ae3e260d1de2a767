/** One attempt, from its claim to what is told of it. */

import { setTimeout as sleep } from "node:timers/promises";

import { asked } from "./client.js";
import { type CancelReason, Context } from "./context.js";
import type { FromHeart } from "./heart.js";
import { type Call, type Door, pause } from "./http.js";
import { type Verdict, verdictOfError, verdictOfResult } from "./outcomes.js";
import { isProblem } from "./problem.js";
import { type Enqueued, type Lease, type LogLevel, type NewJob, millis } from "./shapes.js";

export type Handler = (context: Context<never>) => unknown;

/** What an attempt needs of its worker. */
export interface Surroundings {
  door: Door;
  /** Milliseconds that a handler has to stop once it was asked to. */
  grace: number;
  warn: (message: string) => void;
  /** Says that the server is away, once. */
  away: (detail: string) => void;
}

/** Log lines that wait to be stored. Beyond it the oldest are dropped: a log must not take a worker's memory. */
const LINES_MAX = 10_000;
const LINES_AT_ONCE = 500;
/** How long lines are gathered before they are stored, in milliseconds. */
const LINES_GATHER_TIME = 500;
/** The longest that a timer can be set to, in milliseconds. */
const TIMER_MAX = 2 ** 31 - 1;

/** An attempt that runs. */
export class OpenAttempt {
  /** Why the handler was asked to stop, if it was. The first reason stays. */
  reason: CancelReason | undefined;
  /** How it ended, as it was told; undefined if nothing could be told. */
  outcome: string | undefined;
  /** Milliseconds for which the lease holds from now on. */
  readonly heldFor: number;
  readonly token: string;
  readonly #around: Surroundings;
  readonly #lease: Lease;
  readonly #controller = new AbortController();
  readonly #ended = new AbortController();
  readonly #abandoned = new AbortController();
  readonly #limit: readonly [number, CancelReason] | undefined;
  #lost = false;
  #telling: Promise<void> | undefined;
  #lines: { level: LogLevel; message: string }[] = [];
  #flushing: Promise<void> | undefined;

  constructor(around: Surroundings, lease: Lease, serverTime: string) {
    const now = Date.parse(serverTime);
    const { timeout, deadline } = lease.job;
    const limits: [number, CancelReason][] = [];
    if (timeout) {
      limits.push([millis(timeout), "timed_out"]);
    }
    if (deadline) {
      limits.push([Date.parse(deadline) - now, "deadline"]);
    }
    this.#around = around;
    this.#lease = lease;
    this.#limit = limits.sort(([a], [b]) => a - b)[0];
    this.token = lease.token;
    this.heldFor = Date.parse(lease.lease_until) - now;
  }

  /** Runs the handler, and tells how it ended. Resolves when both are over. */
  async attend(handler: Handler | undefined): Promise<void> {
    const running = this.#run(handler);
    try {
      const verdict = await Promise.race([running, this.#inVain()]);
      if (verdict !== undefined) {
        await this.#tellOnce(verdict);
        return;
      }
      await this.giveUp();
      await running;
    } finally {
      this.#ended.abort();
    }
  }

  /** Asks the handler to stop. */
  ask(reason: CancelReason): void {
    if (this.reason === undefined) {
      this.reason = reason;
      this.#controller.abort(new DOMException(`the attempt should stop: ${reason}`, "AbortError"));
    }
  }

  /** What the thread says that keeps the lease. */
  hear(message: FromHeart): void {
    if (message.event === "cancelled") {
      this.ask("cancelled");
    } else if (message.event === "away") {
      this.#around.away(message.detail);
    } else if (!(this.#telling && message.code === "not_running")) {
      this.#lose(message.detail);
    }
  }

  /**
   * Tells how it ended of an attempt whose handler does not end. Whatever the handler does then is of no account. Where its end is
   * being told already, this waits until it has been.
   */
  async giveUp(): Promise<void> {
    await this.#tellOnce({ outcome: "interrupted" });
  }

  /** Tells the server nothing more, be it away or back: nobody waits for it. */
  abandon(): void {
    this.#abandoned.abort(new Error("the worker has stopped, and the server did not answer"));
  }

  async #run(handler: Handler | undefined): Promise<Verdict> {
    if (handler === undefined) {
      return { outcome: "succeeded" };
    }
    try {
      return verdictOfResult(await handler(new Context<never>(this, this.#lease, this.#controller.signal)));
    } catch (error) {
      return verdictOfError(error);
    }
  }

  /** Resolves once the handler was asked to stop in vain, and its end is to be told without it. */
  async #inVain(): Promise<undefined> {
    const { signal } = this.#ended;
    try {
      const asked = new Promise((resolve) => this.#controller.signal.addEventListener("abort", resolve));
      const [limit, reason] = this.#limit ?? [TIMER_MAX, "deadline"];
      if (limit < TIMER_MAX) {
        const over = sleep(Math.max(0, limit), true, { signal, ref: false });
        if ((await Promise.race([asked, over])) === true) {
          this.ask(reason);
        }
      }
      await asked;
      await sleep(this.#around.grace, undefined, { signal });
    } catch {
      // The attempt has ended meanwhile, and nobody waits for this any more.
      return new Promise(() => {});
    }
    return this.reason === "cancelled" || this.reason === "lease_lost" ? new Promise(() => {}) : undefined;
  }

  /** What is told, in view of whether the handler was asked to stop. */
  #considered(verdict: Verdict): Verdict {
    if (this.reason === "timed_out" || this.reason === "deadline") {
      const timeout = this.#lease.job.timeout;
      const message =
        this.reason === "timed_out" ? `took longer than its timeout of ${timeout}` : "did not finish by its deadline";
      const said = verdict.error?.message;
      return { outcome: "timed_out", error: { message, chain: said === undefined ? [] : [said] } };
    }
    // That it failed is most likely due to being stopped, and costs the job nothing.
    return this.reason === "shutdown" && verdict.outcome === "failed" ? { outcome: "interrupted" } : verdict;
  }

  /** Tells its end, unless that is done already or under way. Resolves when it has been told. */
  async #tellOnce(verdict: Verdict): Promise<void> {
    this.#telling ??= this.#tell(this.#considered(verdict));
    await this.#telling;
  }

  async #tell(verdict: Verdict): Promise<void> {
    if (this.#lost) {
      this.#around.warn(`job ${this.#lease.job.id}: its result is dropped, because the lease was lost`);
      return;
    }
    await this.#flush();
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#once({ method: "POST", path: `/leases/${this.token}/settle`, body: verdict });
        break;
      } catch (error) {
        if (isProblem(error, "not_running")) {
          break; // By an earlier try, whose answer got lost.
        }
        if (isProblem(error, "invalid", "too_large") && "result" in verdict) {
          verdict = verdictOfError(error);
        } else if (this.#lost || !isTransient(error)) {
          this.#around.warn(`job ${this.#lease.job.id}: its result is dropped: ${(error as Error).message}`);
          return;
        } else {
          await this.#rest(tries, error);
        }
      }
    }
    this.outcome = verdict.outcome;
  }

  #lose(why: string): void {
    if (!this.#lost) {
      this.#lost = true;
      this.#around.warn(`the lease of job ${this.#lease.job.id} is lost: ${why}; its handler is asked to stop`);
      this.ask("lease_lost");
    }
  }

  log(message: string, level: LogLevel): void {
    this.#lines.push({ level, message });
    if (this.#lines.length > LINES_MAX) {
      this.#lines.shift();
    }
    this.#flushing ??= sleep(LINES_GATHER_TIME, undefined, { ref: false }).then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    this.#flushing = undefined;
    while (this.#lines.length > 0 && !this.#lost) {
      const lines = this.#lines.splice(0, LINES_AT_ONCE);
      try {
        await this.#say({ method: "POST", path: `/leases/${this.token}/logs`, body: { lines } });
      } catch (error) {
        this.#around.warn(`job ${this.#lease.job.id}: ${lines.length} of its log lines are dropped: ${String(error)}`);
      }
    }
  }

  async progress(percent: number, message: string | undefined): Promise<void> {
    const call: Call = { method: "POST", path: `/leases/${this.token}/progress`, body: { progress: { percent, message } } };
    try {
      await this.#around.door.once(call);
    } catch (error) {
      if (isProblem(error, "cancelled")) {
        this.ask("cancelled");
      } else if (!isTransient(error)) {
        throw this.#noticed(error);
      }
    }
  }

  async saveCheckpoint(value: unknown): Promise<void> {
    try {
      await this.#say({ method: "POST", path: `/leases/${this.token}/checkpoint`, body: { checkpoint: value } });
    } catch (error) {
      if (!isProblem(error, "cancelled")) {
        throw error;
      }
      this.ask("cancelled");
    }
  }

  async enqueue(jobs: NewJob[]): Promise<Enqueued[]> {
    const body = { jobs: jobs.map(asked) };
    return (await this.#say<{ results: Enqueued[] }>({ method: "POST", path: `/leases/${this.token}/jobs`, body })).results;
  }

  /** Sends a call for as long as the lease holds. */
  async #say<T>(call: Call): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#once<T>(call);
      } catch (error) {
        if (this.#lost || !isTransient(error)) {
          throw this.#noticed(error);
        }
        await this.#rest(tries, error);
      }
    }
  }

  async #once<T>(call: Call): Promise<T> {
    const { signal } = this.#abandoned;
    signal.throwIfAborted();
    return this.#around.door.once<T>({ ...call, signal });
  }

  /** Waits before a call is sent again. One that is abandoned meanwhile is not. */
  async #rest(tries: number, error: unknown): Promise<void> {
    this.#around.away((error as Error).message);
    await sleep(pause(tries, error), undefined, { signal: this.#abandoned.signal }).catch(() => undefined);
  }

  #noticed(error: unknown): unknown {
    if (isProblem(error, "lease_lost", "not_running", "not_found")) {
      this.#lose(error.message);
    }
    return error;
  }
}

/** Whether the same may be done a little later. */
export function isTransient(error: unknown): boolean {
  return isProblem(error, "unavailable", "unknown", "rate_limited", "conflict", "internal");
}
