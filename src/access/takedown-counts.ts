/**
 * How many hashes are banned, and how many of them since a day and a month, for the statistics. Counted anew at most
 * once a second when the list has changed and once a minute when it has not: a list of 100,000 single bans takes a
 * tenth of a millisecond. A ban that is stated again counts as of then.
 */
import type { HashList } from './hash-list.ts';

const DAY_SECONDS = 86_400;
const MONTH_SECONDS = 30 * DAY_SECONDS;
const RECOUNT_SECONDS = 60;

export interface Takedowns {
  /** Banned now, those of BANNED_HASHES among them. */
  readonly banned: number;
  /** Of these, banned within the last 24 hours; those of BANNED_HASHES have no time and count in `banned` alone. */
  readonly lastDay: number;
  /** Within the last 30 days. */
  readonly lastMonth: number;
}

export class TakedownCounts {
  readonly #bans: Pick<HashList, 'size' | 'listedSince' | 'changesApplied'>;
  readonly #bannedByEnvironment: number;
  #lastDay = 0;
  #lastMonth = 0;
  #changesCounted = -1;
  #countedSeconds = Number.NEGATIVE_INFINITY;

  constructor(bans: Pick<HashList, 'size' | 'listedSince' | 'changesApplied'>, bannedByEnvironment: number) {
    this.#bans = bans;
    this.#bannedByEnvironment = bannedByEnvironment;
  }

  /** As of `nowSeconds`, or up to a minute before. */
  at(nowSeconds: number): Takedowns {
    const bans = this.#bans;
    const ageSeconds = nowSeconds - this.#countedSeconds;
    const isStale = ageSeconds >= RECOUNT_SECONDS;
    if (isStale || (ageSeconds >= 1 && this.#changesCounted !== bans.changesApplied)) {
      this.#lastDay = bans.listedSince(nowSeconds - DAY_SECONDS);
      this.#lastMonth = bans.listedSince(nowSeconds - MONTH_SECONDS);
      this.#changesCounted = bans.changesApplied;
      this.#countedSeconds = nowSeconds;
    }
    return {
      banned: bans.size + this.#bannedByEnvironment,
      lastDay: this.#lastDay,
      lastMonth: this.#lastMonth,
    };
  }
}
