/**
 * Two and three trackers on one store, over any history: clocks a minute apart, announces told to any of them, journals
 * written and read at any time, readers that are slow, lost acknowledgements, a store that one of them cannot reach,
 * snapshots and retention, crashes and new trackers (rules D-P1 to D-P4, D-J1 to D-J4, D-N1, D-S4, D-T1).
 *
 * Each second is told one thing, so that it is clear which is the latest. What a crash took with it may or may not have
 * been heard of; everything else must be as it was told.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseSegmentKey, parseSnapshotKey } from '../../src/persistence/format/object-keys.ts';
import type { AnnounceJournal } from '../../src/tracker/announce-journal.ts';
import { announceTo, anyPeerAnnounce, type PeerAnnounce } from '../builders/announces.ts';
import { contents } from '../builders/saved-swarms.ts';
import { SimulatedTracker } from '../builders/simulated-tracker.ts';
import { MemoryStore } from '../builders/store.ts';
import { NOW } from '../builders/swarm.ts';

const SWARMS = 3;
const PEERS = 8;

type Step =
  | { readonly kind: 'announce'; readonly to: number; readonly announce: PeerAnnounce }
  | {
      readonly kind: 'journal' | 'follow' | 'snapshot' | 'kill' | 'away' | 'back' | 'lost' | 'pause';
      readonly to: number;
    };

const to = fc.nat({ max: 2 });
const step = (kind: Exclude<Step['kind'], 'announce'>, weight: number) => ({
  weight,
  arbitrary: to.map((n): Step => ({ kind, to: n })),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('announce' as const),
      to,
      announce: anyPeerAnnounce(SWARMS, PEERS).map((one) => ({ ...one, hasOtherId: false })),
    }),
  },
  step('journal', 5),
  step('follow', 5),
  step('snapshot', 3),
  step('kill', 1),
  step('away', 1),
  step('back', 2),
  step('lost', 1),
  step('pause', 1),
);

/** One thing that was told of a peer. */
interface Told {
  readonly atSeconds: number;
  readonly isStop: boolean;
  readonly by: string;
  /** The segment of its tracker that holds it. */
  readonly sequence: number;
}

class Fleet {
  readonly shared = new MemoryStore();
  readonly trackers: SimulatedTracker[] = [];
  readonly dead: SimulatedTracker[] = [];
  /** By swarm and endpoint, in the order in which it was told. */
  readonly told = new Map<string, Told[]>();
  readonly completions: Told[] = [];
  now = NOW;
  #boots = 0;
  /** Of each boot the segments that came to the store and when, and the greatest cut of its snapshots. */
  readonly #stored = new Map<string, Map<number, number>>();
  readonly #cuts = new Map<string, number>();
  /** The cut that a snapshot under way will have. */
  readonly #cutUnderWay = new Map<string, number>();

  constructor() {
    this.shared.nowSeconds = () => this.now;
    const put = this.shared.put.bind(this.shared);
    this.shared.put = async (key, bytes) => {
      await put(key, bytes);
      const segment = parseSegmentKey(key);
      if (segment !== undefined) {
        const segments = this.#stored.get(segment.boot) ?? new Map<number, number>();
        this.#stored.set(segment.boot, segments.set(segment.sequence, this.now));
      }
      const snapshot = parseSnapshotKey(key);
      if (snapshot !== undefined && snapshot.part === undefined) {
        this.#cuts.set(snapshot.boot, this.#cutUnderWay.get(snapshot.boot) ?? 0);
      }
    };
  }

  async add(place: number): Promise<void> {
    const boot = `boot${String(++this.#boots).padStart(4, '0')}`;
    let sequence = 1;
    const note = (peer: string | undefined, isStop: boolean): void => {
      const told = { atSeconds: this.now, isStop, by: boot, sequence };
      if (peer === undefined) this.completions.push(told);
      else this.told.set(peer, [...(this.told.get(peer) ?? []), told]);
    };
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    const witness: AnnounceJournal = {
      sighted: (infoHash, family, _isSeeder, record) =>
        note(`${hex(infoHash)} ${hex(record.subarray(0, family === 0 ? 6 : 18))}`, false),
      stopped: (infoHash, _family, endpoint) => note(`${hex(infoHash)} ${hex(endpoint)}`, true),
      completed: () => note(undefined, false),
    };
    const tracker = new SimulatedTracker({
      boot,
      shared: this.shared,
      trueSeconds: () => this.now,
      behindSeconds: (this.#boots * 41) % 60,
      witness,
    });
    const cut = tracker.journal.cut.bind(tracker.journal);
    tracker.journal.cut = () => {
      const last = cut();
      sequence = last + 1;
      this.#cutUnderWay.set(boot, last);
      return last;
    };
    await tracker.start();
    this.trackers[place] = tracker;
  }

  /** Whether nothing that happens can take it away any more. */
  isStored({ by, sequence }: Told): boolean {
    return this.#stored.get(by)?.has(sequence) === true || (this.#cuts.get(by) ?? 0) >= sequence;
  }

  /** Whether any tracker, dead or alive, has caught up from a snapshot (D-J4). */
  get hasCaughtUp(): boolean {
    return [...this.trackers, ...this.dead].some(({ follower }) => follower.snapshotsMerged > 0);
  }

  kill(place: number): void {
    this.trackers[place]!.kill();
    this.dead.push(this.trackers[place]!);
  }

  /**
   * Rule D-S4: a sighting that was stored two minutes after a later stop may bring the peer back. And a reader that was
   * away for so long that it had to catch up from a snapshot has not heard of the stops that it missed.
   */
  mayStay(told: readonly Told[]): boolean {
    if (this.hasCaughtUp && told.at(-1)!.isStop) return true;
    const lastStop = told.findLast(({ isStop }) => isStop);
    return told.some(({ isStop, by, sequence, atSeconds }) => {
      if (lastStop === undefined || isStop || atSeconds > lastStop.atSeconds) return false;
      return (this.#stored.get(by)?.get(sequence) ?? 0) > lastStop.atSeconds + 120;
    });
  }

  /** Everybody writes and reads what there is. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.now += 61;
      for (const tracker of this.trackers) {
        tracker.view.isAway = false;
        tracker.view.losesNextAcknowledgement = false;
        await tracker.writeJournal();
      }
      for (const tracker of this.trackers) await tracker.follow();
    }
  }

  peersOf(tracker: SimulatedTracker): Map<string, string> {
    const lines = contents(tracker.table, tracker.nowSeconds()).filter((line) => !line.includes('completed'));
    return new Map(
      lines.map((line) => {
        const [infoHash, role, , , endpoint] = line.split(' ');
        return [`${infoHash} ${endpoint}`, role!];
      }),
    );
  }
}

describe('several trackers on one store', () => {
  for (const count of [2, 3]) {
    it(`${count} of them come to hold the same peers, and what was told them last`, async () => {
      const happened = { kills: 0, lost: 0, late: 0, snapshots: 0, caughtUp: 0 };
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { minLength: 20, maxLength: 120 }), async (steps) => {
          const fleet = new Fleet();
          for (let place = 0; place < count; place++) await fleet.add(place);
          for (const one of steps) {
            fleet.now += 1;
            const place = one.to % count;
            const tracker = fleet.trackers[place]!;
            if (one.kind === 'announce') announceTo(tracker.tracker, one.announce, tracker.nowSeconds());
            else if (one.kind === 'pause') fleet.now += 100;
            else if (one.kind === 'journal') await tracker.writeJournal();
            else if (one.kind === 'follow') {
              fleet.now += 10;
              await tracker.follow();
            } else if (one.kind === 'snapshot') {
              const { kind } = await tracker.saver.save('signal');
              happened.snapshots += Number(kind === 'saved');
            } else if (one.kind === 'away') tracker.view.isAway = true;
            else if (one.kind === 'back') {
              happened.late += Number(tracker.view.isAway);
              tracker.view.isAway = false;
            } else if (one.kind === 'lost') tracker.view.losesNextAcknowledgement = true;
            else {
              fleet.kill(place);
              happened.kills += 1;
              await fleet.add(place);
            }
          }
          await fleet.settle();

          const [first, ...others] = fleet.trackers.map((tracker) => fleet.peersOf(tracker));
          for (const peers of [first!, ...others]) {
            for (const peer of peers.keys()) assert.ok(fleet.told.has(peer), `${peer} is made up`);
          }
          const isCertain = (peer: string): boolean => {
            const told = fleet.told.get(peer)!;
            return fleet.isStored(told.at(-1)!) && !fleet.mayStay(told);
          };
          const certain = (peers: Map<string, string>): string[] =>
            [...peers]
              .filter(([peer]) => isCertain(peer))
              .map(String)
              .sort();
          for (const other of others) assert.deepEqual(certain(other), certain(first!));
          for (const [peer, told] of fleet.told) {
            const lastStored = told.findLastIndex((one) => fleet.isStored(one));
            const allowed = new Set(told.slice(Math.max(0, lastStored)).map(({ isStop }) => !isStop));
            if (lastStored < 0) allowed.add(false);
            if (fleet.mayStay(told)) allowed.add(true);
            if (lastStored < told.length - 1) happened.lost += 1;
            assert.ok(
              allowed.has(first!.has(peer)),
              `${peer}: ${JSON.stringify(told)}, there: ${first!.has(peer)}`,
            );
          }
          const completed = fleet.completions.filter((one) => fleet.isStored(one)).length;
          // Where a snapshot made good what was missing, the greater of two totals counts (D-J4).
          const isExact = !fleet.hasCaughtUp;
          happened.caughtUp += Number(!isExact);
          for (const { table } of fleet.trackers) {
            assert.ok(table.totals.completed <= completed, 'a completion is counted twice');
            if (isExact) assert.equal(table.totals.completed, completed);
          }
          for (const tracker of fleet.trackers) tracker.kill();
        }),
        { numRuns: 100, includeErrorInReport: true, endOnFailure: true },
      );
      for (const [what, times] of Object.entries(happened)) assert.ok(times > 0, `${what}: ${times}`);
    });
  }
});
