/**
 * Looks through a list of hashes for those that somebody asks for, a few at a time, so that a long list holds up no
 * announce. A hash is found by the beginning of its hex digits, or whole in any form in which people write one, or by
 * the words of its reason: every word must be there, of either case. Pure.
 */
import { formatInfoHash } from '../protocol/info-hash.ts';
import { infoHashFrom } from '../protocol/magnet.ts';
import type { HashList, HashPage, ListedHash } from './hash-list.ts';

/** What is no hash and longer than this is found in no reason. */
export const SEARCH_CHARACTERS_MAX = 200;
const HASHES_PER_STEP = 256;

/** Says of a hash and its reason whether they are what was asked for. */
export class HashPattern {
  readonly #prefix: string;
  readonly #words: readonly string[];
  /** Thousands of hashes share a reason: each is looked at once. */
  readonly #reasonsSeen = new Map<string, boolean>();

  constructor(search: string) {
    const infoHash = infoHashFrom(search);
    const text = (infoHash === undefined ? search.trim() : formatInfoHash(infoHash)).toLowerCase();
    this.#prefix = text;
    this.#words = text.split(/\s+/).filter((word) => word !== '');
  }

  matches(infoHash: Uint8Array, reason: string): boolean {
    return formatInfoHash(infoHash).startsWith(this.#prefix) || this.#isInReason(reason);
  }

  #isInReason(reason: string): boolean {
    let isThere = this.#reasonsSeen.get(reason);
    if (isThere === undefined) {
      const text = reason.toLowerCase();
      isThere = this.#words.every((word) => text.includes(word));
      this.#reasonsSeen.set(reason, isThere);
    }
    return isThere;
  }
}

/** One page of what is found from `cursor` on, of everything without a pattern: `step` until it returns false, then `page`. */
export class HashSearch {
  readonly #list: Pick<HashList, 'at' | 'cursorEnd'>;
  readonly #pattern: HashPattern | undefined;
  readonly #countMax: number;
  readonly #found: ListedHash[] = [];
  #cursor: number;
  #next: number | undefined;

  constructor(
    list: Pick<HashList, 'at' | 'cursorEnd'>,
    pattern: HashPattern | undefined,
    { cursor, countMax }: { readonly cursor: number; readonly countMax: number },
  ) {
    this.#list = list;
    this.#pattern = pattern;
    this.#cursor = cursor;
    this.#countMax = countMax;
  }

  step(): boolean {
    const end = Math.min(this.#cursor + HASHES_PER_STEP, this.#list.cursorEnd);
    for (; this.#cursor < end; this.#cursor++) {
      const listed = this.#list.at(this.#cursor);
      if (listed?.isListed !== true) continue;
      if (this.#pattern?.matches(listed.infoHash, listed.reason) === false) continue;
      if (this.#found.length === this.#countMax) {
        this.#next = this.#cursor;
        return false;
      }
      this.#found.push(listed);
    }
    return this.#cursor < this.#list.cursorEnd;
  }

  get page(): HashPage {
    return { hashes: this.#found, next: this.#next };
  }
}
