/** A real server for tests, and waiting for states. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
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
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(): Promise<Server> {
    const server = new Server(await reservePort());
    await server.again();
    return server;
  }

  /** Starts it, at the address it had before. */
  async again(): Promise<void> {
    const store = join(this.#folder, "jobs.db");
    const listen = `127.0.0.1:${this.#port}`;
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

/**
 * A port that nobody is given as long as this process lives: it is the near end of a connection to itself. Who connects to it is
 * refused, unless a server was told to listen there; Linux lets it, since both ask for an address that may be shared.
 */
export async function reservePort(): Promise<number> {
  const host = "127.0.0.1";
  const listener = createServer((far) => far.unref()).listen(0, host);
  await once(listener, "listening");
  // Naming its own address makes the connection ask for a port before it is made, as servers do.
  const near = connect({ port: (listener.address() as AddressInfo).port, host, localAddress: host });
  await once(near, "connect");
  near.unref();
  listener.unref();
  return near.localPort!;
}

let kinds = 0;

/** A kind that no other test has. */
export function newKind(): string {
  kinds += 1;
  return `kind-${kinds}`;
}
