/** How a handler ends an attempt other than by returning (succeeded) or by throwing anything else (failed). */

import { type Duration, span } from "./shapes.js";

/** Return it where there was nothing to change: the job completes, and skips review. */
export class Unchanged {
  constructor(readonly result?: unknown) {}
}

/** Throw it where no further attempt could succeed: the job is dead. */
export class Fatal extends Error {
  override readonly name: string = "Fatal";
}

/** Throw it where the args make no sense: the job is dead, and says why. */
export class Undecodable extends Error {
  override readonly name: string = "Undecodable";
}

/** Throw it to stop the job on purpose: it is cancelled. */
export class Cancel extends Error {
  override readonly name: string = "Cancel";
}

/** Throw it to give the attempt back, uncounted, as when the worker stops: the job runs again at once. */
export class Interrupted extends Error {
  override readonly name: string = "Interrupted";
}

/** Throw it to run again after `delay`. Not counted as an attempt. */
export class Snooze extends Error {
  override readonly name: string = "Snooze";

  constructor(readonly delay: Duration) {
    super(`again in ${span(delay)}`);
  }
}

/** Throw it where the attempt failed, and the next is to come after `delay` whatever the job's policy says. */
export class RetryAfter extends Error {
  override readonly name: string = "RetryAfter";

  constructor(
    readonly delay: Duration,
    message = "failed",
  ) {
    super(message);
  }
}

/** What is told of an attempt. */
export interface Verdict {
  outcome: string;
  result?: unknown;
  error?: { message: string; type?: string; chain?: string[]; trace?: string };
  delay?: string;
}

/** Characters of a stack that are told. */
const TRACE_MAX = 16 * 1024;

/** What is told of an attempt whose handler returned this. `undefined` is no result. */
export function verdictOfResult(value: unknown): Verdict {
  const [outcome, result] = value instanceof Unchanged ? ["unchanged", value.result] : ["succeeded", value];
  // What has no JSON is found out here, where it makes the attempt fail.
  return JSON.stringify(result) === undefined ? { outcome } : { outcome, result };
}

/** What is told of an attempt whose handler threw this. */
export function verdictOfError(error: unknown): Verdict {
  if (error instanceof Interrupted) {
    return { outcome: "interrupted" };
  }
  if (error instanceof Snooze) {
    return { outcome: "snoozed", delay: span(error.delay) };
  }
  const told = errorOf(error);
  if (error instanceof RetryAfter) {
    return { outcome: "failed", error: told, delay: span(error.delay) };
  }
  const outcomes = [
    [Fatal, "fatal"],
    [Undecodable, "undecodable"],
    [Cancel, "cancelled"],
  ] as const;
  const outcome = outcomes.find(([kind]) => error instanceof kind)?.[1] ?? "failed";
  return { outcome, error: told };
}

function errorOf(error: unknown): { message: string; type?: string; chain?: string[]; trace?: string } {
  if (!(error instanceof Error)) {
    return { message: String(error) };
  }
  const told = { message: error.message || error.name, type: error.name, chain: chainOf(error) };
  return error.stack === undefined ? told : { ...told, trace: error.stack.slice(0, TRACE_MAX) };
}

function chainOf(error: Error): string[] {
  const seen = new Set<unknown>([error]);
  const chain = [];
  for (let cause = error.cause; cause !== undefined && !seen.has(cause); cause = (cause as Error).cause) {
    seen.add(cause);
    chain.push(cause instanceof Error ? cause.message || cause.name : String(cause));
  }
  return chain;
}
