/** What a client asks for is what the server does. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect } from "node:util";

import { Client, JobFailed, Worker, isProblem } from "../src/index.js";
import { millis } from "../src/shapes.js";
import { Server, newKind, reservePort } from "./server.js";

let server: Server;
let client: Client;

before(async () => {
  server = await Server.start();
  client = server.client();
});
after(() => server.close());

test("options arrive", async () => {
  const kind = newKind();
  const parent = await client.enqueue(kind, null, { delay: "1h" });
  const runAt = new Date("2040-01-02T03:04:05.678Z");

  const made = await client.enqueue(
    kind,
    { text: "\0ü" },
    {
      version: 3,
      queue: "images",
      priority: "high",
      run_at: runAt,
      deadline: "2041-01-01T00:00:00Z",
      timeout: 1_500,
      attempts_max: "unlimited",
      losses_max: 5,
      retry: { fixed: "5s" },
      tags: ["a"],
      meta: { tenant: 7 },
      unique: { key: "k", scope: { for: "1h" } },
      locks: ["disk", { resource: "net", mode: "shared" }],
      limits: [{ key: "host", max: 2 }],
      rates: [{ key: "api", starts: 5, per: "1m" }],
      order_key: "o",
      review: { of: "outcome", decide_within: "1h", otherwise: "decline" },
      notify: [{ mail: "ops@example.com", on: ["dead"] }],
      after: [parent.id, { job: parent.id, on: "on_finish" }],
    },
  );

  const job = await client.get(made.id);
  assert.deepEqual([made.outcome, job.args, job.version, job.queue], ["created", { text: "\0ü" }, 3, "images"]);
  assert.deepEqual([new Date(job.run_at), job.timeout, job.attempts_max], [runAt, "1s500ms", "unlimited"]);
  assert.deepEqual([job.state, job.after?.[0]?.job, job.order_key], ["blocked", parent.id, "o"]);
  assert.deepEqual(job.locks?.map((lock) => lock.resource), ["disk", "net"]);
  assert.equal((await client.enqueue(kind, null, { id: made.id })).repeated, true);
});

test("a batch is a flow", async () => {
  const kind = newKind();

  const [first, second] = await client.enqueueBatch([
    { kind, args: 1, ref: "first", delay: "1h" },
    { kind, after: [{ ref: "first" }] },
  ]);

  assert.equal((await client.get(second!.id)).state, "blocked");
  const why = await client.explain(second!.id);
  assert.deepEqual([why.next, why.obstacles[0]?.what, why.obstacles[0]?.jobs], [false, "dependencies", [first!.id]]);
});

test("lists are filtered and have pages", async () => {
  const kind = newKind();
  const made = await client.enqueueBatch([1, 2, 3].map((args) => ({ kind, args, delay: "1h" })));
  const ids = made.map(({ id }) => id).reverse();

  const page = await client.list(`kind:${kind} state:scheduled`, { limit: 2 });
  const all = [];
  for await (const job of client.iterate(`kind:${kind}`)) {
    all.push(job.id);
  }

  assert.deepEqual(page.items.map(({ id }) => id), ids.slice(0, 2));
  assert.deepEqual((await client.list(`kind:${kind}`, { after: page.next! })).items.map(({ id }) => id), ids.slice(2));
  assert.deepEqual(all, ids);
});

test("operators change what becomes of a job", async () => {
  const kind = newKind();
  const { id } = await client.enqueue(kind, null, { delay: "1h" });

  await client.runNow(id, { reason: "now" });
  assert.equal((await client.get(id)).state, "ready");
  assert.equal(await client.cancel(id), "cancelled");
  await client.retry(id);
  assert.equal(await client.cancel(id), "cancelled");
  const copy = await client.rerun(id);
  await client.delete(id);

  assert.equal((await client.get(copy.id)).rerun_of, id);
  await assert.rejects(client.get(id), (error) => isProblem(error, "not_found"));
});

test("a result that never comes says how the job ended", async () => {
  const { id } = await client.enqueue(newKind(), null, { delay: "1h" });

  await assert.rejects(client.result(id, { timeout: 50 }), { name: "TimeoutError" });
  await assert.rejects(client.wait(id, { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  await client.cancel(id);

  await assert.rejects(client.result(id), (error) => error instanceof JobFailed && error.job.state === "cancelled");
});

test("queues are paused and resumed", async () => {
  const kind = newKind();
  await client.enqueue(kind, null, { queue: kind });
  const paused = async (): Promise<boolean | undefined> =>
    (await client.queues()).find((queue) => queue.name === kind)?.paused;

  await client.pause(kind, { reason: "deploy" });
  assert.equal(await paused(), true);
  await client.resume(kind);
  assert.equal(await paused(), false);
});

test("schedules are made, changed and removed", async () => {
  const kind = newKind();

  assert.equal(await client.putSchedule(kind, { kind }, { cron: "0 3 * * *", time_zone: "Europe/Berlin" }), "created");
  assert.equal(await client.putSchedule(kind, { kind, tags: ["t"] }, { every: "1h" }), "changed");
  assert.equal((await client.schedule(kind)).every, "1h");
  assert.ok((await client.schedules()).items.some(({ name }) => name === kind));
  await client.deleteSchedule(kind);

  await assert.rejects(client.schedule(kind), (error) => isProblem(error, "not_found"));
});

test("reviews are decided", async () => {
  const kind = newKind();
  const options = { review: "start", submitted_by: "ada" } as const;
  const accepted = await client.enqueue(kind, { n: 1 }, options);
  const declined = await client.enqueue(kind, { n: 2 }, options);

  assert.equal((await client.reviews({ kind })).items.length, 2);
  const first = await client.accept(accepted.id, { comment: "fine", args: { n: 3 } });
  const second = await client.decline(declined.id, { comment: "no" });

  assert.deepEqual([first.state, (await client.get(accepted.id)).args], ["ready", { n: 3 }]);
  assert.deepEqual([second.state, second.reason], ["cancelled", "declined"]);
  assert.equal((await client.review(accepted.id))?.ruling?.comment, "fine");
});

test("problems are told apart by their codes", async () => {
  const kind = newKind();
  const first = await client.enqueue(kind, null, { unique: "u", delay: "1h" });

  await assert.rejects(
    client.enqueue(kind, null, { unique: { key: "u", on_conflict: "reject" } }),
    (error) => isProblem(error, "duplicate") && error.job === first.id && error.status === 409,
  );
  await assert.rejects(client.enqueue(kind, null, { queue: "" }), { code: "invalid", field: "queue" });
  await assert.rejects(new Client({ url: server.url, token: "wl_wrong" }).get(first.id), { code: "unauthorized" });
  await assert.rejects(new Client({ url: `http://127.0.0.1:${await reservePort()}`, patience: 0 }).get(first.id), { code: "unavailable" });
});

test("no token is ever shown", () => {
  const token = "wl_0123456789";

  for (const one of [new Client({ token }), new Worker({ token })]) {
    assert.ok(!inspect(one, { depth: 9, showHidden: true }).includes(token));
    assert.ok(!JSON.stringify(one).includes(token));
  }
});

test("spans are read", () => {
  assert.deepEqual([millis("1h30m"), millis("250ms"), millis("1s500ms"), millis("0s")], [5_400_000, 250, 1_500, 0]);
});
