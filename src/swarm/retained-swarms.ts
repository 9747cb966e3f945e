/**
 * Swarms that have no peers left but whose completed downloads are remembered: up to 30 days after their last
 * activity, and only so many; the oldest go first, to the hour.
 *
 *   hour lists   … | 481,203 | 481,204 | …    a ring of lists, one an hour
 *                       slot ⇄ slot ⇄ slot     doubly linked through the slots' two peers words
 */
import { LAST_ACTIVITY_WORD, PEERS_WORD, type PeerMemory, RETAINED } from './peer-memory.ts';

const SECONDS_PER_HOUR = 3600;
/** More hours than the 30 days that any list is kept. */
const RING_HOURS = 1024;

const BEFORE = PEERS_WORD;
const AFTER = PEERS_WORD + 1;

export class RetainedSwarms {
  count = 0;

  readonly #memory: PeerMemory;
  /** First and last slot of each hour's list, plus one. */
  readonly #first = new Uint32Array(RING_HOURS);
  readonly #last = new Uint32Array(RING_HOURS);
  /** No list before this hour has entries. */
  #oldestHour = Number.POSITIVE_INFINITY;

  constructor(memory: PeerMemory) {
    this.#memory = memory;
  }

  has(slot: number): boolean {
    const { slots } = this.#memory;
    const word = slots.words[slots.base(slot) + BEFORE];
    return word >= RETAINED && word < 2 * RETAINED;
  }

  /** Remembers a swarm that has no peers, by its last activity. */
  add(slot: number): void {
    const { words } = this.#memory.slots;
    const base = this.#memory.slots.base(slot);
    const hour = Math.floor(words[base + LAST_ACTIVITY_WORD] / SECONDS_PER_HOUR);
    const list = hour % RING_HOURS;
    const last = this.#last[list];
    words[base + BEFORE] = RETAINED + last;
    words[base + AFTER] = RETAINED;
    if (last === 0) this.#first[list] = slot + 1;
    else words[this.#memory.slots.base(last - 1) + AFTER] = RETAINED + slot + 1;
    this.#last[list] = slot + 1;
    this.count += 1;
    this.#oldestHour = Math.min(this.#oldestHour, hour);
  }

  /** Takes a swarm out, because peers have come back to it or because it goes; it then has no peers. */
  remove(slot: number): void {
    const { slots } = this.#memory;
    const { words } = slots;
    const base = slots.base(slot);
    const list = Math.floor(words[base + LAST_ACTIVITY_WORD] / SECONDS_PER_HOUR) % RING_HOURS;
    const before = words[base + BEFORE] - RETAINED;
    const after = words[base + AFTER] - RETAINED;
    if (before === 0) this.#first[list] = after;
    else words[slots.base(before - 1) + AFTER] = RETAINED + after;
    if (after === 0) this.#last[list] = before;
    else words[slots.base(after - 1) + BEFORE] = RETAINED + before;
    words[base + BEFORE] = 0;
    words[base + AFTER] = 0;
    this.count -= 1;
  }

  /** A swarm of the oldest hour, or -1 when none is remembered. */
  oldest(): number {
    if (this.count === 0) {
      this.#oldestHour = Number.POSITIVE_INFINITY;
      return -1;
    }
    while (this.#first[this.#oldestHour % RING_HOURS] === 0) this.#oldestHour += 1;
    return this.#first[this.#oldestHour % RING_HOURS] - 1;
  }
}
