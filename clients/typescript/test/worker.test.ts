/** A worker runs jobs: what its handlers are given, and what becomes of what they do. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { type TestContext, after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import {
  Cancel,
  type Client,
  type Context,
  Fatal,
  Interrupted,
  RetryAfter,
  Snooze,
  Unchanged,
  Undecodable,
  Worker,
  isProblem,
} from "../src/index.js";
import { PATIENCE, Server, newKind, until } from "./server.js";

const PROGRAM = fileURLToPath(new URL("./worker-program.js", import.meta.url));

let server: Server;
let client: Client;
let running: { worker: Worker; ended: Promise<unknown> }[] = [];
let processes: ChildProcess[] = [];

before(async () => {
  server = await Server.start();
  client = server.client();
});
afterEach(async () => {
  for (const { worker } of running) {
    worker.stop();
  }
  await Promise.all(running.map(({ ended }) => ended));
  for (const started of processes) {
    started.kill("SIGKILL");
  }
  [running, processes] = [[], []];
});
after(() => server.close());

function start(worker: Worker): Worker {
  running.push({ worker, ended: worker.serve() });
  return worker;
}

async function result(id: string): Promise<unknown> {
  return client.result(id, { timeout: PATIENCE });
}

test("handlers make results, with what they are given", async () => {
  const kind = newKind();
  const seen: Context<Buffer>[] = [];
  start(
    server
      .worker()
      .handler<Buffer>(kind, (context) => void seen.push(context))
      .handler<number>(`${kind}-square`, async ({ args }) => ({ squared: args ** 2 })),
  );

  const square = await client.enqueue(`${kind}-square`, 7);
  const options = { args_base64: "/wA=", locks: [kind], tags: ["t"], attempts_max: 3 };
  const [bytes] = await client.enqueueBatch([{ kind, ...options }]);

  assert.deepEqual(await result(square.id), { squared: 49 });
  assert.equal(await result(bytes!.id), undefined);
  const [context] = seen;
  assert.deepEqual([context?.id, [...context!.args], context?.attempt], [bytes!.id, [0xff, 0], 1]);
  assert.deepEqual([context?.fences.get(kind), context?.job.tags, context?.signal.aborted], [1, ["t"], false]);
});

test("an error is a failed attempt", async () => {
  const kind = newKind();
  const broken = (): never => {
    throw new RangeError("boom", { cause: new Error("because") });
  };
  start(server.worker().handler(kind, broken));

  const { id } = await client.enqueue(kind, null, { attempts_max: 2, retry: { fixed: "0s" } });
  const job = await client.wait(id, { timeout: PATIENCE });

  assert.deepEqual([job.state, job.reason, job.attempt], ["dead", "exhausted", 2]);
  assert.deepEqual([job.error?.message, job.error?.type, job.error?.chain], ["boom", "RangeError", ["because"]]);
  assert.match(job.error?.trace ?? "", /worker\.test/);
});

const ENDS: [unknown, string, string][] = [
  [new Fatal("no"), "dead", "fatal"],
  [new Undecodable("no"), "dead", "undecodable"],
  [new Cancel("no"), "cancelled", "handler"],
  [new Snooze("1h"), "scheduled", "snoozed"],
  [new RetryAfter(3_600_000), "retryable", "error"],
  [new Unchanged({ n: 1 }), "completed", "unchanged"],
  [1n, "retryable", "error"],
];
for (const [end, state, reason] of ENDS) {
  test(`a handler may end by ${typeof end === "object" ? end?.constructor.name : "what has no JSON"}`, async () => {
    const kind = newKind();
    start(
      server.worker().handler(kind, () => {
        if (end instanceof Error) {
          throw end;
        }
        return end;
      }),
    );

    const { id } = await client.enqueue(kind, null, { retry: { fixed: "1h" } });
    const job = await until(async () => ((await client.get(id)).reason ? client.get(id) : undefined));

    assert.deepEqual([job.state, job.reason], [state, reason]);
  });
}

test("an interrupted attempt costs nothing", async () => {
  const kind = newKind();
  let attempts = 0;
  start(
    server.worker().handler(kind, (context) => {
      attempts += 1;
      if (attempts < 3) {
        throw new Interrupted();
      }
      return context.attempt;
    }),
  );

  assert.equal(await result((await client.enqueue(kind, null, { attempts_max: 1 })).id), 1);
});

test("parents, progress, logs, checkpoints and children", async () => {
  const kind = newKind();
  start(
    server.worker().handler(kind, async (context) => {
      await context.progress(40, "some");
      context.log(`attempt ${context.attempt}`);
      if (context.checkpoint === undefined || context.checkpoint === null) {
        await context.saveCheckpoint({ at: 7 });
        throw new Error("again");
      }
      await context.enqueue(`${kind}-child`, context.checkpoint, { delay: "1h" });
      return context.parents.map((parent) => parent.result);
    }).handler(`${kind}-parent`, () => ({ made: 1 })),
  );

  const [, child] = await client.enqueueBatch([
    { kind: `${kind}-parent`, ref: "p" },
    { kind, after: [{ ref: "p" }], retry: { fixed: "0s" } },
  ]);

  assert.deepEqual(await result(child!.id), [{ made: 1 }]);
  assert.deepEqual((await client.get(child!.id)).progress, { percent: 40, message: "some" });
  assert.deepEqual((await client.logs(child!.id)).items.map(({ message }) => message), ["attempt 1", "attempt 2"]);
  assert.deepEqual((await client.list(`kind:${kind}-child`)).items[0]?.args, { at: 7 });
});

test("a cancelled job aborts the signal of its handler", async () => {
  const kind = newKind();
  let told: unknown;
  start(
    server.worker({ lease: "9s" }).handler(kind, async (context) => {
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      told = context.cancelReason;
    }),
  );
  const { id } = await client.enqueue(kind);
  await until(async () => (await client.get(id)).state === "running");

  assert.equal(await client.cancel(id), "requested");

  assert.equal(await until(() => told), "cancelled");
  assert.equal((await client.wait(id, { timeout: PATIENCE })).state, "cancelled");
});

test("an attempt that takes too long is ended", async () => {
  const kind = newKind();
  let end = (): void => undefined;
  const stubborn = new Promise<void>((resolve) => (end = resolve));
  start(server.worker({ grace: 50 }).handler(kind, () => stubborn));

  const { id } = await client.enqueue(kind, null, { timeout: 50, attempts_max: 1 });
  const job = await client.wait(id, { timeout: PATIENCE });
  end();

  assert.equal(job.state, "dead");
  assert.match(job.error?.message ?? "", /timeout of 50ms/);
});

test("a worker that lost its lease stops and makes nothing", async () => {
  const kind = newKind();
  const seen: unknown[] = [];
  const warnings: string[] = [];
  const logger = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
  start(
    server.worker({ lease: "9s", slots: 1, logger }).handler(kind, async (context) => {
      if (seen.length > 0) {
        return "second";
      }
      const aborted = new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      // Somebody else ends the attempt, as if it had been given up on.
      const lease = (await server.leases()).find(({ job }) => job === context.id)!;
      assert.equal((await server.post(`/leases/${lease.token}/settle`, { outcome: "failed", delay: "0s" })).status, 200);
      const child = await context.enqueue(`${kind}-child`).catch((error: unknown) => error);
      await aborted;
      seen.push(isProblem(child, "lease_lost", "not_running"), context.cancelReason);
      return "first";
    }),
  );

  assert.equal(await result((await client.enqueue(kind)).id), "second");
  assert.deepEqual(seen, [true, "lease_lost"]);
  assert.equal((await client.list(`kind:${kind}-child`)).items.length, 0);
  assert.ok(warnings.some((message) => message.includes("its result is dropped")), String(warnings));
});

test("decisions are carried out, and what nobody ran is cleaned up behind", async () => {
  const kind = newKind();
  let accepted: unknown;
  let cleaned: unknown;
  start(
    server
      .worker()
      .handler(kind, ({ args }) => ({ draft: args }))
      .accepted(kind, (context) => {
        accepted = context.settles?.staged;
      })
      .cleanup(kind, (context) => {
        cleaned = context.job.cleans;
      }),
  );
  const first = await client.enqueue(kind, 1, { review: "outcome", submitted_by: "ada" });
  const second = await client.enqueue(kind, 2, { review: "outcome", submitted_by: "ada" });
  await until(async () => (await client.reviews({ kind })).items.length === 2);

  const settled = await client.accept(first.id, { wait: "30s" });
  await client.cancel(second.id);

  assert.deepEqual([settled.state, settled.reason, accepted], ["completed", "accepted", { draft: 1 }]);
  assert.deepEqual(await result(first.id), { draft: 1 });
  assert.equal(await until(() => cleaned), second.id);
});

test("a worker that is refused says so", async () => {
  const worker = new Worker({ url: server.url, token: "wl_wrong" }).handler("k", () => 1);

  await assert.rejects(worker.run(), { code: "unauthorized" });
  await assert.rejects(server.worker().serve(), /no handler/);
  assert.throws(() => worker.handler("k", () => 1), /already/);
  assert.throws(() => server.worker({ slots: 0 }), RangeError);
});

/** A worker in a process of its own. */
function work(...args: string[]): ChildProcess & { out: string; err: string; ended: Promise<number | null> } {
  const env = { ...process.env, WINDLASS_URL: server.url, WINDLASS_TOKEN: server.token };
  const started = spawn(process.execPath, [PROGRAM, ...args], { env });
  processes.push(started);
  const told = Object.assign(started, {
    out: "",
    err: "",
    ended: new Promise<number | null>((resolve) => started.on("close", resolve)),
  });
  started.stdout.on("data", (text: Buffer) => (told.out += text.toString()));
  started.stderr.on("data", (text: Buffer) => (told.err += text.toString()));
  return told;
}

/** Waits until the job runs, and says under which token. */
async function begun(id: string): Promise<string> {
  return until(async () => (await client.get(id)).progress && (await server.leases()).find(({ job }) => job === id)?.token);
}

test("a handler that blocks keeps its lease", async () => {
  const kind = newKind();
  const flag = `${process.env["TMPDIR"] ?? "/tmp"}/windlass-${process.pid}-${kind}`;
  work(kind, "blocks", flag, "9s");
  const { id } = await client.enqueue(kind);
  await begun(id);
  const leaseUntil = async (): Promise<string> => (await server.leases()).find(({ job }) => job === id)!.lease_until;

  const first = await leaseUntil();
  const second = await until(async () => ((await leaseUntil()) > first ? leaseUntil() : undefined));
  const third = await until(async () => ((await leaseUntil()) > second ? leaseUntil() : undefined));
  writeFileSync(flag, "");

  assert.ok(third > second);
  assert.equal(await result(id), "ended");
  assert.deepEqual([(await client.get(id)).losses, (await client.get(id)).attempt], [0, 1]);
});

test("what a killed worker held is run by another", async () => {
  const kind = newKind();
  const first = work(kind, "waits", "", "6s");
  const { id } = await client.enqueue(kind);
  const stale = await begun(id);

  first.kill("SIGKILL");
  work(kind, "waits", "", "30s");
  await until(async () => (await server.leases()).some(({ job, token }) => job === id && token !== stale));
  const late = await server.post(`/leases/${stale}/settle`, { outcome: "succeeded" });
  await client.enqueue("end", null, { tags: [id] });

  assert.deepEqual(late, { status: 409, code: "lease_lost" });
  assert.equal(await result(id), "ended");
  assert.deepEqual((await client.attempts(id)).map(({ outcome }) => outcome), ["lost", "succeeded"]);
});

test("a worker that stops lets its handlers end, or gives them back", async () => {
  const kind = newKind();
  const patient = work(kind, "waits", "", "30s", "30s");
  const first = await client.enqueue(kind);
  await begun(first.id);
  patient.kill("SIGTERM");
  await client.enqueue("end", null, { tags: [first.id] });
  assert.equal(await patient.ended, 0);
  assert.deepEqual([patient.out, await result(first.id)], ['{"succeeded":1}\n', "ended"]);

  const hurried = work(kind, "waits", "", "30s", "0s");
  const second = await client.enqueue(kind, null, { attempts_max: 1 });
  await begun(second.id);
  hurried.kill("SIGTERM");
  assert.equal(await hurried.ended, 0);
  assert.equal(hurried.out, '{"interrupted":1}\n');
  const job = await client.get(second.id);
  assert.deepEqual([job.state, job.attempt, job.losses], ["ready", 0, 0]);
});

for (const outcome of ["succeeded", "interrupted"]) {
  test(`a worker that stops waits until it is told that an attempt ${outcome}`, async (t) => {
    const kind = newKind();
    const late = lateAnswers(t);
    let [begun, end] = [false, (): void => undefined];
    const deaf = new Promise<void>((resolve) => (end = resolve));
    const worker = server.worker({ grace: 100 }).handler(kind, async () => {
      begun = true;
      await (outcome === "interrupted" ? deaf : undefined);
    });
    const ended = worker.serve();
    const { id } = await client.enqueue(kind);

    await until(() => (outcome === "interrupted" ? begun : late.asked));
    worker.stop();
    await until(() => late.asked);
    // Far longer than the grace and half of it.
    assert.equal(await Promise.race([ended.then(() => "ended"), sleep(1_000, "waits")]), "waits");
    late.come();
    const report = await ended;
    end();

    assert.deepEqual(report, { [outcome]: 1 });
    assert.deepEqual((await client.attempts(id)).map((attempt) => attempt.outcome), [outcome]);
  });
}

/** Lets the answers to what workers of this process tell of their attempts come late: once `come` is called. */
function lateAnswers(t: TestContext): { asked: boolean; come: () => void } {
  const late = { asked: false, come: (): void => undefined };
  const coming = new Promise<void>((resolve) => (late.come = resolve));
  const { fetch } = globalThis;
  t.mock.method(globalThis, "fetch", async (...request: Parameters<typeof fetch>) => {
    const response = await fetch(...request);
    if (String(request[0]).endsWith("/settle")) {
      late.asked = true;
      await coming;
    }
    return response;
  });
  return late;
}

test("a second signal ends a worker at once", async () => {
  const kind = newKind();
  const worker = work(kind, "waits", "", "30s", "1h");
  await begun((await client.enqueue(kind)).id);

  // Two that come before the first is noticed are one: they are sent until there is an end.
  await until(() => {
    worker.kill("SIGTERM");
    return worker.exitCode !== null;
  });

  assert.equal(await worker.ended, 143);
});

test("jobs end once though the server was killed", async () => {
  const kind = newKind();
  const worker = work(kind, "waits", "", "30s", "30s");
  const { id } = await client.enqueue(kind);
  await begun(id);

  await server.kill();
  await server.again();
  await client.enqueue("end", null, { tags: [id] });

  assert.equal(await result(id), "ended");
  assert.deepEqual((await client.attempts(id)).map(({ outcome }) => outcome), ["succeeded"]);
  worker.kill("SIGTERM");
  await worker.ended;
  assert.equal(worker.out, '{"succeeded":1}\n');
  assert.ok(worker.err.split("is asked again").length <= 3, worker.err);
});

test("a worker that stops while the server is away ends without it", async () => {
  const kind = newKind();
  const flag = `${process.env["TMPDIR"] ?? "/tmp"}/windlass-${process.pid}-${kind}`;
  const worker = work(kind, "blocks", flag, "30s", "0s", "100ms");
  await begun((await client.enqueue(kind)).id);

  await server.kill();
  try {
    writeFileSync(flag, "");
    await until(() => worker.err.includes("is asked again"));
    worker.kill("SIGTERM");

    assert.equal(await worker.ended, 0);
    assert.equal(worker.out, '{"dropped":1}\n');
  } finally {
    await server.again();
  }
});

test("the quick start of the README runs", async () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const program = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const path = fileURLToPath(new URL("./quick-start.mjs", import.meta.url));
  writeFileSync(path, program.replace('"windlass"', '"../src/index.js"'));
  const env = { ...process.env, WINDLASS_URL: server.url, WINDLASS_TOKEN: server.token };
  const started = spawn(process.execPath, [path], { env, stdio: "inherit" });
  processes.push(started);

  await until(async () => (await client.list("kind:thumbnail state:completed")).items.length === 1);
  const ended = new Promise((resolve) => started.on("exit", resolve));
  started.kill("SIGTERM");

  assert.equal(await ended, 0);
  assert.ok(program.trim().split("\n").length <= 25);
});
