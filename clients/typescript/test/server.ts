/** A real server for tests, and waiting for states. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Client, Worker, type WorkerOptions } from "../src/index.js";

/** Milliseconds after which a test gives up on a state: far more than it takes, since machines are busy. */
export const PATIENCE = 30_000;

/** The `windlass` to test against: `WINDLASS_BIN`, or what cargo has built. */
function program(): string {
  const target = fileURLToPath(new URL("../../../../target", import.meta.url));
  const built = ["debug", "release"].map((profile) => join(target, profile, "windlass"));
  const found = process.env["WINDLASS_BIN"] ?? built.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error("there is no windlass program: cargo build --package windlass-cli, or set WINDLASS_BIN");
  }
  return found;
}

/** What `what` returns, once that is true; fails when it takes too long. */
export async function until<T>(what: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const found = await what();
    if (found) {
      return found;
    }
    await sleep(20);
  }
  throw new Error(`it took too long: ${what}`);
}

/** `windlass serve` on a file of its own. May be killed and started again, at the same address. */
export class Server {
  url = "";
  token = "";
  readonly #folder = mkdtempSync(join(tmpdir(), "windlass-typescript-"));
  #process: ChildProcess | undefined;

  static async start(): Promise<Server> {
    const server = new Server();
    await server.again();
    return server;
  }

  /** Starts it, at the address it had before. */
  async again(): Promise<void> {
    const store = join(this.#folder, "jobs.db");
    const listen = `127.0.0.1:${this.url === "" ? "0" : new URL(this.url).port}`;
    const started = spawn(program(), ["--store", store, "serve", "--listen", listen], { stdio: ["ignore", "pipe", "ignore"] });
    this.#process = started;
    for await (const line of createInterface({ input: started.stdout })) {
      this.url = line.replace("listening on ", "");
      break;
    }
    this.token = readFileSync(`${store}.token`, "utf8").trim();
  }

  /** As a crash does: no word to anybody. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const ended = new Promise((resolve) => this.#process!.once("exit", resolve));
    this.#process!.kill(signal);
    await ended;
  }

  async close(): Promise<void> {
    await this.kill("SIGTERM");
    rmSync(this.#folder, { recursive: true });
  }

  client(): Client {
    return new Client({ url: this.url, token: this.token });
  }

  worker(options: WorkerOptions = {}): Worker {
    return new Worker({ url: this.url, token: this.token, drainTime: 0, grace: 500, ...options });
  }

  /** A request as a program in yet another language sends it. */
  async post(path: string, body: unknown): Promise<{ status: number; code: string }> {
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    const response = await fetch(`${this.url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, code: ((await response.json()) as { code: string }).code };
  }

  async leases(): Promise<{ job: string; token: string; lease_until: string }[]> {
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await fetch(`${this.url}/api/v1/leases`, { headers });
    return ((await response.json()) as { leases: { job: string; token: string; lease_until: string }[] }).leases;
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, "close");
  return port;
}

let kinds = 0;

/** A kind that no other test has. */
export function newKind(): string {
  kinds += 1;
  return `kind-${kinds}`;
}
