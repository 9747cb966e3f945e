/** Bans, and ends of bans, by the admin API, written into the ledger as the announces are. */
import type { TrackerProcess } from '../builders/tracker-process.ts';
import { ask } from '../end-to-end/tracker-requests.ts';
import { type Ledger, Thing } from './ledger.ts';
import { AUTHORIZED } from './look.ts';
import { pause } from './points.ts';

const LANES = 6;
const HASHES_PER_LANE = 12;

export class BanLoad {
  readonly #ledger: Ledger;
  readonly #random: () => number;
  #isEnding = false;
  acknowledged = 0;

  constructor(ledger: Ledger, random: () => number) {
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Changes bans until the tracker answers no more, or until `end`; each lane pauses so long between two. */
  async run(tracker: TrackerProcess, pauseMs: number): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, (_, lane) => this.#runLane(tracker, lane, pauseMs)));
  }

  end(): void {
    this.#isEnding = true;
  }

  async #runLane(tracker: TrackerProcess, lane: number, pauseMs: number): Promise<void> {
    while (!this.#isEnding) {
      const hash = `ba${lane}${(this.#random() % HASHES_PER_LANE).toString(16)}`.repeat(10);
      const ban = this.#ledger.bans.get(hash) ?? new Thing<'banned' | 'free'>('free');
      this.#ledger.bans.set(hash, ban);
      const isBanned = ban.state === 'banned';
      const deed = ban.send(isBanned ? 'free' : 'banned');
      try {
        const { status } = await ask(tracker, `/admin/bans/${hash}`, {
          method: isBanned ? 'DELETE' : 'PUT',
          headers: AUTHORIZED,
          ...(isBanned ? {} : { body: '{"reason":"a crash is coming"}' }),
        });
        if (status === 200) {
          deed.ackedMs = performance.now();
          this.acknowledged += 1;
        }
      } catch {
        return; // nobody answers any more
      }
      await pause(pauseMs);
    }
  }
}
