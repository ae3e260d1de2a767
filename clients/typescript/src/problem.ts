/** What can go wrong. Decide by `code`. */

/** Each code stands for one right reaction; `docs/http.md` says which. */
export type ProblemCode =
  | "invalid"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "not_ready"
  | "not_running"
  | "not_reviewable"
  | "cancelled"
  | "finished"
  | "duplicate"
  | "lease_lost"
  | "conflict"
  | "too_large"
  | "rate_limited"
  | "unavailable"
  | "unknown"
  | "full"
  | "incompatible"
  | "corrupt"
  | "internal";

/** What a problem says beside its code and its sentence. */
export interface ProblemDetails {
  /** The status of the answer; 0 if there was none. */
  status?: number;
  /** The field at fault as it was written, such as `jobs[3].args`. */
  field?: string | undefined;
  /** The job that has the unique key, with the code `duplicate`. */
  job?: string | undefined;
  /** How many milliseconds to wait before asking again, if the server said so. */
  retryAfter?: number | undefined;
}

/**
 * Something was not done, and the server says why. A server that cannot be reached is `unavailable`: nothing happened. An answer
 * that got lost is `unknown`: it may have happened; ask again with the same ids.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly field: string | undefined;
  readonly job: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    details: ProblemDetails = {},
    options?: ErrorOptions,
  ) {
    super(details.field ? `${details.field}: ${detail}` : detail, options);
    this.status = details.status ?? 0;
    this.field = details.field;
    this.job = details.job;
    this.retryAfter = details.retryAfter;
  }
}

/** Whether an error is a problem with one of these codes. */
export function isProblem(error: unknown, ...codes: ProblemCode[]): error is Problem {
  return error instanceof Problem && (codes.length === 0 || codes.includes(error.code));
}
