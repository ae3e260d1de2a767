/** A worker as a program: the tests start it, and end it in many ways. */

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { Client, type Context, Interrupted, Worker } from "../src/index.js";

const [kind, mode, flag, lease, drainTime, grace] = process.argv.slice(2) as [string, string, string, string, ...string[]];
const client = new Client();

/** Goes on until a job has this one's id for a tag. */
async function waits(context: Context): Promise<string> {
  await context.progress(1);
  while ((await client.list(`kind:end tag:${context.id}`)).items.length === 0) {
    if (context.signal.aborted) {
      throw new Interrupted();
    }
    await sleep(20);
  }
  return "ended";
}

/** Blocks the event loop until there is a file. */
async function blocks(context: Context): Promise<string> {
  await context.progress(1);
  while (!existsSync(flag)) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return "ended";
}

const worker = new Worker({ lease, drainTime: drainTime ?? "0s", grace: grace ?? "10s", slots: 1 });
worker.handler(kind, mode === "blocks" ? blocks : waits);
process.stdout.write(`${JSON.stringify(await worker.run())}\n`);
