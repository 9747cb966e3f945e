/**
 * One list of info hashes, the banned or the allowed, as the commands see it: through a running tracker's admin API
 * (admin-list.ts), or in the store when none runs (store-list.ts).
 */
import type { ListName } from '../../access/access.ts';

/** As it is printed and exported. */
export interface ListedEntry {
  /** 40 hex characters. */
  readonly infoHash: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly changedAt: string;
}

export interface ListHead {
  /** Hashes on the list, without those of the environment. */
  readonly count: number;
  /** Those of BANNED_HASHES or ALLOWED_HASHES that fit the search. */
  readonly byEnvironment: readonly string[];
}

export interface Added {
  readonly added: number;
  readonly alreadyListed: number;
}

/** Everything throws a CommandError for what the world does. */
export interface HashListAccess {
  readonly name: ListName;
  /** Where the list is, for people. */
  readonly where: string;
  /** What fits the search, or all; the head is told before the first. */
  entries(search: string | undefined, onHead: (head: ListHead) => void): AsyncIterable<ListedEntry>;
  /** One change: in force and stored when it resolves. */
  add(hashes: readonly Uint8Array[], reason: string): Promise<Added>;
  /** Takes them off. Resolves with those that were not on the list; `onDone` hears how many are seen to. */
  remove(hashes: readonly Uint8Array[], onDone: (count: number) => void): Promise<readonly Uint8Array[]>;
  /** How many hashes one `add` should have, so that progress can be told. */
  readonly hashesPerChange: number;
  close(): Promise<void>;
}

/** "ban", "bans"; "allowed hash", "allowed hashes". */
export function counted(name: ListName, count: number): string {
  const noun = name === 'bans' ? 'ban' : 'allowed hash';
  return `${count} ${noun}${count === 1 ? '' : name === 'bans' ? 's' : 'es'}`;
}
