/**
 * Saved counts of completed downloads until it is known that all of them can be believed (rule D-R2): they are added to
 * what was counted since the start, so half of them would be worse than none.
 *
 *   chunk | info hash 20 | completed 4 | last activity seconds 4 | info hash … |
 */
import { openIfRoom, type RestoreSettings } from './restore-settings.ts';

const HELD_BYTES = 28;
const HELD_CHUNK_BYTES = 4_096 * HELD_BYTES;

export class HeldTotals {
  readonly #isGreaterWins: boolean;
  readonly #chunks: Buffer[] = [];
  #at = HELD_CHUNK_BYTES;
  #applied = 0;
  /** All counts together. */
  completed = 0;

  /** With `isGreaterWins` they are of a table that knew of what was counted here: the greater count is right (rule D-J4). */
  constructor({ isGreaterWins = false } = {}) {
    this.#isGreaterWins = isGreaterWins;
  }

  add(infoHash: Uint8Array, completed: number, lastActivitySeconds: number): void {
    if (this.#at === HELD_CHUNK_BYTES) {
      this.#chunks.push(Buffer.alloc(HELD_CHUNK_BYTES));
      this.#at = 0;
    }
    const chunk = this.#chunks.at(-1)!;
    this.completed += completed;
    chunk.set(infoHash, this.#at);
    chunk.writeUInt32LE(completed, this.#at + 20);
    chunk.writeUInt32LE(Math.max(0, lastActivitySeconds), this.#at + 24);
    this.#at += HELD_BYTES;
  }

  /** Gives the next count to the table; false when none is left. */
  step(settings: RestoreSettings): boolean {
    const chunk = this.#chunks[0];
    if (chunk === undefined || (this.#chunks.length === 1 && this.#applied === this.#at)) return false;
    const at = this.#applied;
    const infoHash = chunk.subarray(at, at + 20);
    if (settings.isServed(infoHash)) {
      const now = settings.nowSeconds();
      const slot = openIfRoom(settings.table, infoHash, now);
      if (slot >= 0) {
        const completed = chunk.readUInt32LE(at + 20);
        if (this.#isGreaterWins) settings.table.raiseTotals(slot, completed, now);
        else settings.table.restoreTotals(slot, completed, chunk.readUInt32LE(at + 24), now);
      }
    }
    this.#applied += HELD_BYTES;
    if (this.#applied === HELD_CHUNK_BYTES) {
      this.#chunks.shift();
      this.#applied = 0;
    }
    return true;
  }
}
