/**
 * From which programs the announces of the last hour came. The announce path adds one to the count of a prefix and one to
 * that of all; once a minute the prefixes that are known are added up to families, of which sixty minutes are kept.
 *
 *   prefixes   a count for each of 32,769 prefixes, this minute's, and for all of them: 128 KiB
 *   minutes    60 × a count for each family, the newest in the place of the oldest: about 8 KiB
 */
import { CLIENT_FAMILIES, knownPrefixes, OTHER_FAMILY, PREFIX_COUNT, prefixOf } from './client-families.ts';

const MINUTES = 60;
const FAMILIES = CLIENT_FAMILIES.length;
const OTHER = CLIENT_FAMILIES.indexOf(OTHER_FAMILY);
/** Where all are counted, behind the prefixes. */
const ALL = PREFIX_COUNT;
/** Families that are named; what is left counts as other. */
const NAMED_MAX = 12;

export interface ClientShare {
  readonly family: string;
  readonly announces: number;
  /** Of all announces of the hour, 0 to 1. */
  readonly share: number;
}

export class ClientCounts {
  readonly #known = knownPrefixes();
  readonly #prefixes = new Uint32Array(PREFIX_COUNT + 1);
  readonly #minutes = new Uint32Array(MINUTES * FAMILIES);
  #minute = 0;

  /** An announce of this peer was applied. */
  count(peerId: Uint8Array): void {
    this.#prefixes[prefixOf(peerId)]! += 1;
    this.#prefixes[ALL]! += 1;
  }

  /** A minute is over. */
  endMinute(): void {
    const at = this.#minute * FAMILIES;
    this.#minutes.fill(0, at, at + FAMILIES);
    this.#addMinuteTo(this.#minutes, at);
    this.#prefixes.fill(0);
    this.#minute = (this.#minute + 1) % MINUTES;
  }

  /** The largest first, 'other' last; none before the first announce. */
  get lastHour(): readonly ClientShare[] {
    const counts = new Float64Array(FAMILIES);
    for (let at = 0; at < this.#minutes.length; at += 1) counts[at % FAMILIES]! += this.#minutes[at]!;
    this.#addMinuteTo(counts, 0);
    const all = counts.reduce((sum, count) => sum + count, 0);
    if (all === 0) return [];
    const known = Array.from(counts, (announces, family) => ({ family, announces }))
      .filter(({ family, announces }) => family !== OTHER && announces > 0)
      .sort((one, other) => other.announces - one.announces)
      .slice(0, NAMED_MAX);
    const named = known.reduce((sum, { announces }) => sum + announces, 0);
    return [...known, { family: OTHER, announces: all - named }].map(({ family, announces }) => ({
      family: CLIENT_FAMILIES[family]!,
      announces,
      share: Math.round((announces / all) * 1e4) / 1e4,
    }));
  }

  #addMinuteTo(counts: Uint32Array | Float64Array, at: number): void {
    let other = this.#prefixes[ALL]!;
    for (const { prefix, family } of this.#known) {
      const count = this.#prefixes[prefix]!;
      counts[at + family]! += count;
      other -= count;
    }
    counts[at + OTHER]! += other;
  }
}
