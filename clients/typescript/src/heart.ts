/**
 * Extends leases, in a thread of its own: a handler that blocks the event loop of the program cannot starve it. Told by messages
 * which leases to keep; tells by messages which jobs were cancelled, and which leases are lost.
 */

import { parentPort, workerData } from "node:worker_threads";

import { type Address, Door, pause } from "./http.js";
import { isProblem } from "./problem.js";
import type { Held } from "./shapes.js";

/** What the thread is started with. */
export interface HeartData {
  address: Address;
  /** Milliseconds for which a lease holds between beats. */
  lease: number;
}

/** What the thread is told. */
export type ToHeart = { keep: string; heldFor: number } | { forget: string };

/** What the thread tells of a lease. `code` is the server's, where it was the server that said so. */
export interface FromHeart {
  token: string;
  event: "cancelled" | "lost" | "away";
  detail: string;
  code?: string;
}

/** The part of a lease after which it is taken for lost: the rest is for clocks that run apart, and for handlers to stop. */
const FENCE_PART = 0.9;

const port = parentPort;
if (port !== null) {
  const { address, lease } = workerData as HeartData;
  const door = new Door(address);
  const kept = new Map<string, AbortController>();

  port.on("message", (message: ToHeart) => {
    if ("keep" in message) {
      const forgotten = new AbortController();
      kept.set(message.keep, forgotten);
      void keep(message.keep, performance.now() + message.heldFor, forgotten.signal);
    } else {
      kept.get(message.forget)?.abort();
      kept.delete(message.forget);
    }
  });

  const tell = (message: FromHeart): void => port.postMessage(message);

  const keep = async (token: string, heldUntil: number, forgotten: AbortSignal): Promise<void> => {
    let [delay, tries] = [lease / 3, 0];
    for (;;) {
      const fenceAt = heldUntil - lease * (1 - FENCE_PART);
      await rest(Math.max(0, Math.min(delay, fenceAt - performance.now())), forgotten);
      if (forgotten.aborted) {
        return;
      }
      const begun = performance.now();
      try {
        const signal = AbortSignal.any([forgotten, AbortSignal.timeout(Math.ceil(lease / 3))]);
        const path = `/leases/${token}/extend`;
        const held = await door.once<Held & { server_time: string }>({ method: "POST", path, signal });
        heldUntil = begun + Date.parse(held.lease_until) - Date.parse(held.server_time);
        [delay, tries] = [lease / 3, 0];
        if (held.cancel_requested) {
          tell({ token, event: "cancelled", detail: "the job was cancelled" });
        }
      } catch (error) {
        if (forgotten.aborted) {
          return;
        }
        if (isProblem(error, "lease_lost", "not_running", "not_found")) {
          return tell({ token, event: "lost", detail: error.message, code: error.code });
        }
        tell({ token, event: "away", detail: (error as Error).message });
        if (performance.now() >= fenceAt) {
          return tell({ token, event: "lost", detail: "its lease could not be extended in time" });
        }
        delay = pause(tries);
        tries += 1;
      }
    }
  };
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    signal.addEventListener("abort", over);
  });
}
