/**
 * Which info hashes are served: all but the banned, or only the allowed; a ban always wins (rule D-B3). Hashes come
 * from two places: those of the environment, which hold from the first moment and never change, and the two
 * lists, which the access log fills and changes. Pure: says what holds, and leaves the telling to others.
 */
import { INFO_HASH_BYTES } from '../protocol/info-hash.ts';
import type { HashKey } from '../swarm/half-sip-hash.ts';
import { HashSlots, SLOT_HEADER_WORDS } from '../swarm/hash-slots.ts';
import { HashList } from './hash-list.ts';

export const Verdict = {
  served: 0,
  banned: 1,
  notAllowed: 2,
  /** The allow list has not been read from the store yet. */
  notLoaded: 3,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export type ListName = 'bans' | 'allowed';

/** The variables whose hashes hold from the first moment; only a new start changes them. */
export const VARIABLE_OF: Readonly<Record<ListName, string>> = {
  bans: 'BANNED_HASHES',
  allowed: 'ALLOWED_HASHES',
};

/** Bans, and allowed hashes, that can be known at the most. */
export const LISTED_HASHES_MAX = 4_000_000;

export interface AccessOptions {
  readonly mode: 'open' | 'allowlist';
  readonly hashKey: HashKey;
  /** BANNED_HASHES and ALLOWED_HASHES. */
  readonly bannedByEnvironment: readonly Uint8Array[];
  readonly allowedByEnvironment: readonly Uint8Array[];
  /** Per list. */
  readonly hashesMax?: number;
}

export class Access {
  readonly mode: 'open' | 'allowlist';
  readonly bans: HashList;
  readonly allowed: HashList;
  /** Whether the lists hold what the store has. Until then an open tracker serves all the same. */
  isLoaded = false;
  readonly #environment: Readonly<Record<ListName, HashSlots>>;

  constructor(options: AccessOptions) {
    const { hashKey, hashesMax = LISTED_HASHES_MAX } = options;
    this.mode = options.mode;
    this.bans = new HashList({ hashesMax, hashKey, doesListedWinTie: true });
    this.allowed = new HashList({ hashesMax, hashKey, doesListedWinTie: false });
    this.#environment = {
      bans: slotsOf(options.bannedByEnvironment, hashKey),
      allowed: slotsOf(options.allowedByEnvironment, hashKey),
    };
  }

  verdict(infoHash: Uint8Array): Verdict {
    if (this.isByEnvironment('bans', infoHash) || this.bans.has(infoHash)) return Verdict.banned;
    if (this.mode === 'open' || this.isByEnvironment('allowed', infoHash)) return Verdict.served;
    if (this.allowed.has(infoHash)) return Verdict.served;
    return this.isLoaded ? Verdict.notAllowed : Verdict.notLoaded;
  }

  isServed(infoHash: Uint8Array): boolean {
    return this.verdict(infoHash) === Verdict.served;
  }

  list(name: ListName): HashList {
    return this[name];
  }

  /** Whether the hash stands in the variable of the list. */
  isByEnvironment(name: ListName, infoHash: Uint8Array): boolean {
    const slots = this.#environment[name];
    return slots.count > 0 && slots.find(infoHash) >= 0;
  }

  /** The hashes of the variable of the list. */
  byEnvironment(name: ListName): readonly Uint8Array[] {
    const slots = this.#environment[name];
    return Array.from({ length: slots.count }, (_, slot) => {
      const infoHash = new Uint8Array(INFO_HASH_BYTES);
      slots.copyHash(slot, infoHash, 0);
      return infoHash;
    });
  }
}

function slotsOf(hashes: readonly Uint8Array[], hashKey: HashKey): HashSlots {
  const slots = new HashSlots({
    slotsMax: Math.max(1, hashes.length),
    wordsPerSlot: SLOT_HEADER_WORDS,
    hashKey,
  });
  for (const infoHash of hashes) slots.insert(infoHash);
  return slots;
}
