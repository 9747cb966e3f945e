/** Reads and checks the JSON that an administrator sends, and says what is wrong with it. */
import type { IncomingMessage } from 'node:http';
import { CHANGE_HASHES_MAX } from '../../persistence/access/access-log.ts';
import { REASON_BYTES_MAX } from '../../persistence/format/access-object.ts';
import { parseInfoHash } from '../../protocol/info-hash.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';

/** CHANGE_HASHES_MAX hashes with quotes, comma and an indented line each, and the rest of the body. */
export const BODY_BYTES_MAX = CHANGE_HASHES_MAX * 60 + 64 * 1024;
/** What is parsed at one go: a body that is not a plain list of hashes, or what is around one. */
const JSON_BYTES_MAX = 64 * 1024;
const HASHES_PER_STEP = 512;
const HASHES = Buffer.from('"hashes"');

/** A request that cannot be served, with the status and the sentence of its answer. */
export class AdminProblem {
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string) {
    this.status = status;
    this.error = error;
  }
}

/** The body's bytes, or a problem when there are too many; what is left unread goes with the connection. */
export async function readBody(request: IncomingMessage): Promise<Buffer | AdminProblem> {
  const tooLarge = new AdminProblem(
    413,
    `The body is larger than ${BODY_BYTES_MAX} bytes. A change may name up to ${CHANGE_HASHES_MAX} hashes: send several.`,
  );
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) return tooLarge;
      chunks.push(chunk);
    }
  } catch {
    return new AdminProblem(400, 'The body broke off.'); // with its connection: nobody will read this
  }
  return Buffer.concat(chunks, bytes);
}

/** `{"reason": "…"}`, or nothing. */
export function parseReason(body: Buffer): string | AdminProblem {
  const value = parseObject(body, ['reason']);
  return value instanceof AdminProblem ? value : reasonOf(value);
}

export interface ManyHashes {
  readonly hashes: readonly Uint8Array[];
  readonly reason: string;
}

/** `{"hashes": ["…", …], "reason": "…"}`. The hashes are read in slices: a long list must not hold up announces. */
export async function parseMany(body: Buffer, monotonicMs: MonotonicMs): Promise<ManyHashes | AdminProblem> {
  const list = await readHashList(body, monotonicMs);
  // A short list is read once more in any form that JSON allows; in a long one every element must be plain.
  const isPlain = list !== undefined && (list.badIndex === undefined || body.length > JSON_BYTES_MAX);
  const value = parseObject(isPlain ? list.rest : body, ['hashes', 'reason']);
  if (value instanceof AdminProblem) return value;
  const reason = reasonOf(value);
  if (reason instanceof AdminProblem) return reason;
  if (isPlain && list.badIndex !== undefined) return badHash(list.badIndex);
  const hashes = isPlain ? list.hashes : hashesOf(value);
  if (hashes instanceof AdminProblem) return hashes;
  if (hashes.length <= CHANGE_HASHES_MAX) return { hashes, reason };
  return new AdminProblem(
    413,
    `A change may name up to ${CHANGE_HASHES_MAX} hashes, not ${hashes.length}: send several.`,
  );
}

interface HashesRead {
  readonly hashes: readonly Uint8Array[];
  /** The first element that is no plain hash, if any. */
  readonly badIndex: number | undefined;
  /** The body without what is between the brackets. */
  readonly rest: Buffer;
}

/** Reads the list of hashes by itself, without parsing it as JSON. undefined when the body has none. */
async function readHashList(body: Buffer, monotonicMs: MonotonicMs): Promise<HashesRead | undefined> {
  const from = hashesStart(body);
  const to = body.indexOf(']', from);
  if (from < 0 || to < 0) return undefined;
  const rest = Buffer.concat([body.subarray(0, from), body.subarray(to)]);
  const text = body.toString('latin1', from, to);
  const element = /\s{0,256}"([0-9a-fA-F]{40})"\s{0,256}(,|$)/y;
  const hashes: Uint8Array[] = [];
  let isOver = false;
  const step = (): boolean => {
    for (let count = 0; count < HASHES_PER_STEP && !isOver; count++) {
      const match = element.exec(text); // goes on where the last one ended
      if (match === null) return false;
      hashes.push(parseInfoHash(match[1]!)!);
      isOver = match[2] === '';
    }
    return !isOver;
  };
  await runInSlices(step, { monotonicMs });
  return { hashes, badIndex: isOver ? undefined : hashes.length, rest };
}

/** Where the first element of `"hashes": [` begins; -1 when there is no such field. A reason has its quotes escaped. */
function hashesStart(body: Buffer): number {
  for (let at = body.indexOf(HASHES); at >= 0; at = body.indexOf(HASHES, at + 1)) {
    const after = at + HASHES.length;
    const match = /^\s*:\s*\[/.exec(body.toString('latin1', after, after + 64));
    if (match !== null) return after + match[0].length;
  }
  return -1;
}

function badHash(index: number): AdminProblem {
  return new AdminProblem(400, `hashes[${index}] is not an info hash in 40 hexadecimal characters.`);
}

function hashesOf(value: Record<string, unknown>): readonly Uint8Array[] | AdminProblem {
  const texts = value.hashes;
  if (!Array.isArray(texts) || texts.length === 0) {
    return new AdminProblem(
      400,
      'hashes must be an array of one or more info hashes in 40 hexadecimal characters.',
    );
  }
  const hashes: Uint8Array[] = [];
  for (const [index, text] of texts.entries()) {
    const infoHash = typeof text === 'string' ? parseInfoHash(text) : undefined;
    if (infoHash === undefined) return badHash(index);
    hashes.push(infoHash);
  }
  return hashes;
}

function parseObject(body: Buffer, fields: readonly string[]): Record<string, unknown> | AdminProblem {
  if (body.length === 0) return {};
  if (body.length > JSON_BYTES_MAX) {
    return new AdminProblem(
      400,
      `A body is {"hashes": ["…", …], "reason": "…"}, with up to ${JSON_BYTES_MAX} bytes beside the hashes.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return new AdminProblem(400, 'The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new AdminProblem(400, 'The body must be a JSON object.');
  }
  const unknown = Object.keys(value).find((name) => !fields.includes(name));
  if (unknown === undefined) return value as Record<string, unknown>;
  return new AdminProblem(
    400,
    `The body has an unknown field ${JSON.stringify(unknown.slice(0, 40))}; known: ${fields.join(', ')}.`,
  );
}

function reasonOf(value: Record<string, unknown>): string | AdminProblem {
  const reason = value.reason ?? '';
  if (typeof reason !== 'string') return new AdminProblem(400, 'reason must be a text.');
  const bytes = Buffer.byteLength(reason);
  if (bytes <= REASON_BYTES_MAX) return reason;
  return new AdminProblem(400, `reason may have up to ${REASON_BYTES_MAX} bytes of UTF-8, not ${bytes}.`);
}
