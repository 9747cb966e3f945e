/** Reads and checks what an administrator sends, JSON or lines of text, and says what is wrong with it. */
import type { IncomingMessage } from 'node:http';
import { CHANGE_HASHES_MAX } from '../../persistence/access/access-log.ts';
import { REASON_BYTES_MAX } from '../../persistence/format/access-object.ts';
import { infoHashFrom } from '../../protocol/magnet.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { type HashLines, parseHashLines } from './hash-lines.ts';

/** CHANGE_HASHES_MAX hashes in hex with quotes, comma and an indented line each, and the rest of the body. */
export const BODY_BYTES_MAX = CHANGE_HASHES_MAX * 60 + 64 * 1024;
/** What is parsed at one go: a body that is not a plain list of hashes, or what is around one. */
const JSON_BYTES_MAX = 64 * 1024;
const HASHES_PER_STEP = 256;
const HASHES = Buffer.from('"hashes"');
/** What stands for an info hash, as messages say it. */
export const A_HASH =
  'an info hash in 40 hexadecimal characters or 32 of base32, or a magnet link with one (xt=urn:btih:…)';

/** A request that cannot be served, with the status and the sentence of its answer. */
export class AdminProblem {
  readonly status: number;
  readonly error: string;
  /** Further fields of the answer. */
  readonly more: object;

  constructor(status: number, error: string, more: object = {}) {
    this.status = status;
    this.error = error;
    this.more = more;
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

/** In JSON no lines are invalid: one that is no hash refuses the whole. */
export interface ManyHashes extends HashLines {
  readonly reason: string;
}

/**
 * `{"hashes": ["…", …], "reason": "…"}`; or, when the type says text and no JSON begins, one hash a line, with
 * the reason from the query.
 */
export async function parseMany(
  body: Buffer,
  { isText, reason }: { readonly isText: boolean; readonly reason: string | null },
  monotonicMs: MonotonicMs,
): Promise<ManyHashes | AdminProblem> {
  // Programs that send a text without saying of what kind call it text/plain.
  const isLines = isText && !/^\s*[{[]/.test(body.toString('latin1', 0, 64));
  if (!isLines && reason !== null) {
    return new AdminProblem(
      400,
      'In the query a reason goes with lines of text (Content-Type: text/plain); in JSON it is a field.',
    );
  }
  const many = isLines
    ? await parseLines(body, reason ?? '', monotonicMs)
    : await parseJsonList(body, monotonicMs);
  if (many instanceof AdminProblem || many.hashes.length <= CHANGE_HASHES_MAX) return many;
  return new AdminProblem(
    413,
    `A change may name up to ${CHANGE_HASHES_MAX} hashes, not ${many.hashes.length}: send several.`,
  );
}

async function parseLines(
  body: Buffer,
  text: string,
  monotonicMs: MonotonicMs,
): Promise<ManyHashes | AdminProblem> {
  const reason = reasonOf({ reason: text });
  if (reason instanceof AdminProblem) return reason;
  const lines = await parseHashLines(body, monotonicMs);
  if (lines.hashes.length > 0) return { ...lines, reason };
  const { invalid, invalidCount } = lines;
  return new AdminProblem(400, `No line of the body is ${A_HASH}.`, { invalid, invalidCount });
}

/** The hashes are read in slices: a long list must not hold up announces. */
async function parseJsonList(body: Buffer, monotonicMs: MonotonicMs): Promise<ManyHashes | AdminProblem> {
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
  return { hashes, reason, invalid: [], invalidCount: 0 };
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
  if (from < 0) return undefined;
  const text = body.toString('latin1', from);
  const element = /\s{0,256}"([^"\\]{32,16384})"\s{0,256}([,\]])/y;
  const hashes: Uint8Array[] = [];
  /** Where the list's bracket closes; -1 when an element is not plain. */
  let end: number | undefined;
  const step = (): boolean => {
    for (let count = 0; count < HASHES_PER_STEP && end === undefined; count++) {
      const match = element.exec(text); // goes on where the last one ended
      const infoHash = match === null ? undefined : infoHashFrom(match[1]!);
      if (match === null || infoHash === undefined) {
        end = -1;
        return false;
      }
      hashes.push(infoHash);
      if (match[2] === ']') end = from + element.lastIndex - 1;
    }
    return end === undefined;
  };
  await runInSlices(step, { monotonicMs });
  const isPlain = end !== undefined && end >= 0;
  const to = isPlain ? end! : body.indexOf(']', from);
  if (to < 0) return undefined;
  const rest = Buffer.concat([body.subarray(0, from), body.subarray(to)]);
  return { hashes, badIndex: isPlain ? undefined : hashes.length, rest };
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
  return new AdminProblem(400, `hashes[${index}] is not ${A_HASH}.`);
}

function hashesOf(value: Record<string, unknown>): readonly Uint8Array[] | AdminProblem {
  const texts = value.hashes;
  if (!Array.isArray(texts) || texts.length === 0) {
    return new AdminProblem(400, `hashes must be an array of one or more, each ${A_HASH}.`);
  }
  const hashes: Uint8Array[] = [];
  for (const [index, text] of texts.entries()) {
    const infoHash = typeof text === 'string' ? infoHashFrom(text) : undefined;
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
