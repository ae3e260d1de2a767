/** Calls over HTTP: how one is sent, how its answer is read, and when it is asked again. */

import { setTimeout as sleep } from "node:timers/promises";

import { Problem, type ProblemCode, isProblem } from "./problem.js";

/** One request. */
export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  /** Milliseconds for which the server may keep it waiting on purpose. */
  waits?: number;
  /** Whether asking twice does no more than asking once. */
  repeatable?: boolean;
  signal?: AbortSignal | undefined;
}

/** Where the server is, and who asks. */
export interface Address {
  /** `WINDLASS_URL` unless said, else `http://127.0.0.1:7117`. */
  url?: string | undefined;
  /** `WINDLASS_TOKEN` unless said. */
  token?: string | undefined;
}

/** How long an answer may take that nobody waits for on purpose, in milliseconds: as long as the server gives itself. */
const ANSWER_TIME = 30_000;
const BACKOFF_BASE = 100;
const BACKOFF_CAP = 5_000;

/** Sends calls. The token is in no property that is printed. */
export class Door {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(address: Address = {}) {
    this.url = (address.url ?? process.env["WINDLASS_URL"] ?? "http://127.0.0.1:7117").replace(/\/+$/, "");
    this.#token = address.token ?? process.env["WINDLASS_TOKEN"];
  }

  /** The same address, with its token, for another thread. */
  address(): Address {
    return { url: this.url, token: this.#token };
  }

  /** Sends a call once. Undefined where the server says nothing. */
  async once<T>(call: Call): Promise<T> {
    const response = await this.#fetch(call);
    const text = await response.text().catch((error: unknown) => {
      throw lost(error, call);
    });
    if (!response.ok) {
      throw refused(response, text);
    }
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** Sends a call until it is answered, for up to `patience` milliseconds, as long as that cannot do it twice. */
  async send<T>(call: Call, patience: number): Promise<T> {
    const until = Date.now() + patience;
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.once<T>(call);
      } catch (error) {
        const delay = pause(tries, error);
        if (!isWorthAnotherTry(call, error) || Date.now() + delay > until) {
          throw error;
        }
        await sleep(delay, undefined, { signal: call.signal });
      }
    }
  }

  async #fetch(call: Call): Promise<Response> {
    const url = new URL(`${this.url}/api/v1${call.path}`);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) {
        url.searchParams.set(name, String(value));
      }
    }
    const timeout = AbortSignal.timeout(Math.ceil(ANSWER_TIME + (call.waits ?? 0)));
    const init: RequestInit = {
      method: call.method,
      headers: {
        accept: "application/json",
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      },
      signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    };
    try {
      return await fetch(url, init);
    } catch (error) {
      throw lost(error, call);
    }
  }
}

/** What it means that there was no answer: nothing happened, or nobody knows. What the caller aborted stays as it is. */
function lost(error: unknown, call: Call): unknown {
  if (call.signal?.aborted) {
    return error;
  }
  const cause = (error as { cause?: { code?: string } }).cause;
  const before = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"];
  const code = before.includes(cause?.code ?? "") ? "unavailable" : "unknown";
  const detail = `could not reach the server: ${cause?.code ?? (error as Error).message}`;
  return new Problem(code, detail, {}, { cause: error });
}

function refused(response: Response, text: string): Problem {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  if (response.headers.get("content-type")?.includes("json")) {
    const told = JSON.parse(text) as { code: ProblemCode; detail: string; field?: string; job?: string };
    return new Problem(told.code, told.detail, {
      status: response.status,
      field: told.field,
      job: told.job,
      retryAfter,
    });
  }
  // Somebody between us and the server: a proxy that cannot reach it, or one that has given up waiting.
  const codes: Record<number, ProblemCode> = { 429: "rate_limited", 502: "unknown", 503: "unavailable", 504: "unknown" };
  const detail = `the answer has the status ${response.status}, and is none of the server's`;
  return new Problem(codes[response.status] ?? "internal", detail, { status: response.status, retryAfter });
}

/** How many milliseconds to wait before another try: longer each time, and never the same for all who wait. */
export function pause(tries: number, error?: unknown): number {
  if (isProblem(error) && error.retryAfter !== undefined) {
    return error.retryAfter;
  }
  return Math.min(BACKOFF_CAP, BACKOFF_BASE * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2);
}

function isWorthAnotherTry(call: Call, error: unknown): boolean {
  return isProblem(error, "unavailable", "rate_limited") || (call.repeatable === true && isProblem(error, "unknown"));
}
