/** The worker: claims jobs and runs a handler for each. */

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker as Thread } from "node:worker_threads";

import { type Handler, OpenAttempt } from "./attempt.js";
import type { Context } from "./context.js";
import type { FromHeart, HeartData, ToHeart } from "./heart.js";
import { type Address, Door, pause } from "./http.js";
import { isProblem } from "./problem.js";
import { type Duration, type Lease, millis, span } from "./shapes.js";

/** How a worker behaves. */
export interface WorkerOptions extends Address {
  /** The queues it works on; all unless said. */
  queues?: string[];
  /** How many jobs it runs at a time; 4 unless said. */
  slots?: number;
  /** What people call it; the machine and the process unless said. */
  name?: string;
  /** How long a job stays with it after a sign of life, 1 s to 1 h; 30 s unless said. */
  lease?: Duration;
  /** How long a worker that stops waits for its handlers before it asks them to stop; 30 s unless said. */
  drainTime?: Duration;
  /** How long a handler that was asked to stop has for it, before its attempt is ended without it; 5 s unless said. */
  grace?: Duration;
  /** Where the worker says what a person should know; `console` unless said. */
  logger?: { info(message: string): void; warn(message: string): void };
}

/** How many attempts of a worker ended how; `dropped` are those of which nothing could be told. */
export type WorkerReport = Record<string, number>;

/** How long a claim waits for work, in milliseconds: below what proxies on the way give an answer. */
const CLAIM_WAIT = 25_000;
/** How long the ends of the last attempts of a worker that stops may take to be told. */
const SETTLE_TIME = 10_000;

/**
 * Claims jobs and runs a handler for each. What a handler returns is the result of the job, what it throws makes the attempt fail;
 * `Fatal`, `Snooze`, `RetryAfter`, `Cancel`, `Undecodable` and `Interrupted` are thrown, and `Unchanged` is returned, for other
 * ends.
 *
 * Leases are extended by a thread of their own. When one is lost, its handler is asked to stop and its result is dropped: another
 * worker may have the job. While the server is away, handlers go on for as long as their leases hold, and what they made is told
 * when it is back.
 */
export class Worker {
  readonly #door: Door;
  readonly #options: Required<Omit<WorkerOptions, "url" | "token" | "queues">> & { queues: string[] | "*" };
  readonly #handlers = new Map<string, Handler>();
  readonly #kinds: { kind: string; version_max?: number }[] = [];
  readonly #attempts = new Map<OpenAttempt, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #report: WorkerReport = {};
  #heart: Thread | undefined;
  #freed: (() => void) | undefined;
  #away = false;

  constructor(options: WorkerOptions = {}) {
    this.#door = new Door(options);
    this.#options = {
      queues: options.queues ?? "*",
      slots: options.slots ?? 4,
      name: options.name ?? `${hostname()}-${process.pid}`,
      lease: millis(span(options.lease ?? "30s")),
      drainTime: millis(span(options.drainTime ?? "30s")),
      grace: millis(span(options.grace ?? "5s")),
      logger: options.logger ?? console,
    };
    if (!(this.#options.slots >= 1)) {
      throw new RangeError(`slots is ${this.#options.slots}: it must be 1 or more`);
    }
  }

  /** Makes a function the handler of a kind; of args up to `versionMax`, if that is said. */
  handler<Args>(kind: string, run: (context: Context<Args>) => unknown, options: { versionMax?: number } = {}): this {
    if (this.#handlers.has(`run ${kind}`)) {
      throw new Error(`kind ${JSON.stringify(kind)} has a handler already`);
    }
    this.#kinds.push(options.versionMax === undefined ? { kind } : { kind, version_max: options.versionMax });
    return this.#besides("run", kind, run);
  }

  /** Makes a function the one that carries out that a job's outcome was accepted: `context.settles.staged` is what it made. */
  accepted<Args>(kind: string, run: (context: Context<Args>) => unknown): this {
    return this.#besides("accept", kind, run);
  }

  /** Makes a function the one that carries out that a job's outcome was declined. */
  declined<Args>(kind: string, run: (context: Context<Args>) => unknown): this {
    return this.#besides("decline", kind, run);
  }

  /** Makes a function the one that cleans up behind a job that ended while nobody ran it: `context.job.cleans` is its id. */
  cleanup<Args>(kind: string, run: (context: Context<Args>) => unknown): this {
    return this.#besides("cleanup", kind, run);
  }

  #besides<Args>(use: string, kind: string, run: (context: Context<Args>) => unknown): this {
    this.#handlers.set(`${use} ${kind}`, run as Handler);
    return this;
  }

  /**
   * Works until `stop` is called or the process gets SIGTERM or SIGINT; a second signal ends the process at once.
   *
   * Stopping: no more claims; handlers get `drainTime`, then their signal is aborted, and what has not ended after `grace` is given
   * back, uncounted, for other workers. Rejects with what the server refuses that nobody but a person can mend.
   */
  async run(): Promise<WorkerReport> {
    const asked = (_: string, number: number): void => {
      if (this.#stopping.signal.aborted) {
        process.exit(128 + number);
      }
      this.stop();
    };
    process.on("SIGTERM", asked).on("SIGINT", asked);
    try {
      return await this.serve();
    } finally {
      process.off("SIGTERM", asked).off("SIGINT", asked);
    }
  }

  /** As `run`, but signals are left to the caller. */
  async serve(): Promise<WorkerReport> {
    if (this.#kinds.length === 0) {
      throw new Error("the worker has no handler");
    }
    this.#heart = this.#startHeart();
    try {
      await this.#claim();
    } finally {
      this.#stopping.abort();
      await this.#drain();
      await this.#heart.terminate();
    }
    return this.#report;
  }

  /** Asks the worker to stop; returns at once. */
  stop(): void {
    this.#stopping.abort();
  }

  async #claim(): Promise<void> {
    const { signal } = this.#stopping;
    for (let tries = 0; !signal.aborted; ) {
      const free = this.#options.slots - this.#attempts.size;
      if (free === 0) {
        await this.#someSlot();
        continue;
      }
      try {
        const answer = await this.#door.once<{ leases: Lease[]; server_time: string } | undefined>(this.#call(free));
        tries = 0;
        this.#back();
        for (const lease of answer?.leases ?? []) {
          this.#attend(new OpenAttempt(this.#around(), lease, answer!.server_time), lease);
        }
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (isProblem(error, "invalid", "unauthorized", "forbidden", "incompatible")) {
          throw error;
        }
        this.#gone((error as Error).message);
        await sleep(pause(tries, error), undefined, { signal }).catch(() => undefined);
        tries += 1;
      }
    }
  }

  #call(limit: number): Parameters<Door["once"]>[0] {
    const { name, queues, lease } = this.#options;
    const body = { worker: name, queues, kinds: this.#kinds, lease: span(lease), limit, wait: span(CLAIM_WAIT) };
    return { method: "POST", path: "/leases", body, waits: CLAIM_WAIT, signal: this.#stopping.signal };
  }

  /** Resolves when a slot is free, or the worker is to stop. */
  async #someSlot(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#freed = resolve;
      this.#stopping.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #attend(attempt: OpenAttempt, lease: Lease): void {
    this.#tellHeart({ keep: attempt.token, heldFor: attempt.heldFor });
    const ended = attempt.attend(this.#handlers.get(`${useOf(lease)} ${lease.job.kind}`)).finally(() => {
      this.#tellHeart({ forget: attempt.token });
      this.#over(attempt);
      this.#freed?.();
    });
    this.#attempts.set(attempt, ended);
  }

  /** Counts an attempt, once: one that was given back may still end by itself. */
  #over(attempt: OpenAttempt): void {
    if (this.#attempts.delete(attempt)) {
      const outcome = attempt.outcome ?? "dropped";
      this.#report[outcome] = (this.#report[outcome] ?? 0) + 1;
    }
  }

  #around(): ConstructorParameters<typeof OpenAttempt>[0] {
    return {
      door: this.#door,
      grace: this.#options.grace as number,
      warn: (message) => this.#options.logger.warn(message),
      away: (detail) => this.#gone(detail),
    };
  }

  /** Says that the server is away once, however often it is noticed until it answers again. */
  #gone(detail: string): void {
    if (!this.#away) {
      this.#away = true;
      this.#options.logger.warn(`the server does not do what is asked, and is asked again: ${detail}`);
    }
  }

  #back(): void {
    if (this.#away) {
      this.#away = false;
      this.#options.logger.info("the server answers again");
    }
  }

  /**
   * Waits for what runs, asks it to stop when it has had its time, and gives back what does not. What is being told of an attempt
   * meanwhile is waited for, too, but not for ever: a server that is away must not keep the process.
   */
  async #drain(): Promise<void> {
    const { drainTime, grace } = this.#options;
    await this.#allEnded(drainTime as number);
    for (const attempt of this.#attempts.keys()) {
      attempt.ask("shutdown");
    }
    // A little more than the grace, after which each attempt is given back by itself.
    await this.#allEnded((grace as number) + Math.min(1_000, (grace as number) / 2));
    const left = [...this.#attempts.keys()];
    await within(Promise.all(left.map((attempt) => attempt.giveUp())), SETTLE_TIME);
    for (const attempt of left) {
      attempt.abandon();
      this.#over(attempt);
    }
  }

  async #allEnded(milliseconds: number): Promise<void> {
    if (this.#attempts.size > 0) {
      await within(Promise.allSettled(this.#attempts.values()), milliseconds);
    }
  }

  #startHeart(): Thread {
    const data: HeartData = { address: this.#door.address(), lease: this.#options.lease as number };
    const thread = new Thread(new URL("./heart.js", import.meta.url), { workerData: data });
    thread.unref();
    thread.on("message", (message: FromHeart) => {
      const attempt = [...this.#attempts.keys()].find(({ token }) => token === message.token);
      attempt?.hear(message);
    });
    return thread;
  }

  #tellHeart(message: ToHeart): void {
    this.#heart?.postMessage(message);
  }
}

/** What a lease is for: the work of the job, a decision about it, or cleaning up behind it. */
function useOf(lease: Lease): string {
  return lease.settles?.ruling.decision ?? lease.job.phase;
}

/** Resolves with the promise, or when the time is over. */
async function within(promise: Promise<unknown>, milliseconds: number): Promise<void> {
  const over = new AbortController();
  const timer = sleep(milliseconds, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([promise, timer]);
  over.abort();
}
