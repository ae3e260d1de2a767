/** Ids of jobs: UUIDv7, drawn here, so that an enqueue whose answer got lost can be asked again. */

import { randomBytes } from "node:crypto";

/** A fresh id; later ones sort behind earlier ones, to the millisecond. */
export function jobId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
