/**
 * A list through the admin API of a running tracker. Waits when the tracker asks it to, and never sends the token over
 * plain HTTP to another machine.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ListName } from '../../access/access.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { CommandError } from '../command-error.ts';
import { type Answer, ask, NoAnswer } from '../tracker-client.ts';
import type { Added, HashListAccess, ListedEntry, ListHead } from './hash-lists.ts';

/** A change may need that long for its store (DESIGN of the access log: answers come within 25 s). */
const ANSWER_MS_MAX = 30_000;
/** A tracker that counts requests asks for a minute at most; whoever sent wrong tokens waits longer than anybody would. */
const WAIT_SECONDS_MAX = 61;
const WAITS_MAX = 10;

export interface AdminListOptions {
  readonly name: ListName;
  /** The tracker's origin. */
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
  /** Told before it waits. */
  readonly onWait: (seconds: number) => void;
}

export class AdminList implements HashListAccess {
  readonly name: ListName;
  readonly where: string;
  readonly hashesPerChange = 20_000;
  readonly #options: AdminListOptions;
  readonly #path: string;

  constructor(options: AdminListOptions) {
    this.#options = options;
    this.name = options.name;
    this.where = options.url;
    this.#path = `${options.url}/admin/${options.name}`;
  }

  async *entries(
    search: string | undefined,
    onHead: (head: ListHead) => void,
  ): AsyncGenerator<ListedEntry, void, void> {
    let cursor: string | null = '0';
    while (cursor !== null) {
      const query = new URLSearchParams({ cursor, ...(search === undefined ? {} : { search }) });
      const body: Record<string, unknown> = await this.#ask('GET', `?${query}`);
      if (body.isLoaded === false)
        throw new CommandError(`The tracker has not read its lists from the store yet: try again.`);
      if (cursor === '0')
        onHead({ count: Number(body.count), byEnvironment: (body.byEnvironment ?? []) as readonly string[] });
      yield* (body[this.name] ?? []) as readonly ListedEntry[];
      cursor = typeof body.next === 'string' ? body.next : null;
    }
  }

  async add(hashes: readonly Uint8Array[], reason: string): Promise<Added> {
    const texts = hashes.map(formatInfoHash);
    const { added = texts.length, alreadyListed = 0 } = await this.#ask('POST', '', {
      hashes: texts,
      reason,
    });
    return { added: Number(added), alreadyListed: Number(alreadyListed) };
  }

  /** One after the other: the API takes hashes off the list singly. */
  async remove(
    hashes: readonly Uint8Array[],
    onDone: (count: number) => void,
  ): Promise<readonly Uint8Array[]> {
    const notListed: Uint8Array[] = [];
    for (const [index, infoHash] of hashes.entries()) {
      const rest = `/${formatInfoHash(infoHash)}`;
      if ((await this.#ask('DELETE', rest, undefined, 404)) === undefined) notListed.push(infoHash);
      onDone(index + 1);
    }
    return notListed;
  }

  async close(): Promise<void> {}

  async #ask(method: string, rest: string, body?: object): Promise<Record<string, unknown>>;
  /** undefined when the API itself answers with the status that is none of the failures. */
  async #ask(
    method: string,
    rest: string,
    body: object | undefined,
    accepted: number,
  ): Promise<Record<string, unknown> | undefined>;
  async #ask(method: string, rest: string, body?: object, accepted?: number) {
    const { token, signal } = this.#options;
    for (let waits = 0; ; waits++) {
      const answer = await ask(
        `${this.#path}${rest}`,
        {
          method,
          signal,
          headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        },
        ANSWER_MS_MAX,
      );
      if (answer instanceof NoAnswer) throw new CommandError(`No answer from ${this.where}: ${answer.why}.`);
      if (answer.status === 429 && waits < WAITS_MAX && (await this.#waited(answer))) continue;
      const fields = fieldsOf(answer);
      // A tracker without the API, or a proxy, has a page of its own for the same status.
      if (answer.status === accepted && typeof fields?.error === 'string') return undefined;
      return checked(answer, fields, this.where);
    }
  }

  /** False when it would be for too long. */
  async #waited({ headers }: Answer): Promise<boolean> {
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    if (!(seconds >= 0 && seconds <= WAIT_SECONDS_MAX)) return false;
    this.#options.onWait(seconds);
    await pause(seconds * 1_000, undefined, { signal: this.#options.signal });
    return true;
  }
}

/** The body's JSON object; undefined when it is anything else, a proxy's page, say. */
function fieldsOf({ text }: Answer): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // the status tells
  }
}

/** The fields of an answer of status 200. Throws a CommandError for whatever else it is. */
function checked(
  { status }: Answer,
  fields: Record<string, unknown> | undefined,
  where: string,
): Record<string, unknown> {
  if (status === 200 && fields !== undefined) return fields;
  if (status === 401)
    throw new CommandError(`${where} refuses the token: is ADMIN_TOKEN the one that this tracker runs with?`);
  if (status === 404 && fields === undefined)
    throw new CommandError(`${where} has no admin API: the tracker was started without ADMIN_TOKEN.`);
  const said = typeof fields?.error === 'string' ? fields.error : `status ${status}`;
  throw new CommandError(`${where} answered: ${said}`);
}
