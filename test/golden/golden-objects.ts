/**
 * What stands in test/golden/: a snapshot of the golden table, a change of the access lists, and two segments of a
 * journal, plain or sealed.
 */
import { AccessObjectWriter } from '../../src/persistence/format/access-object.ts';
import { segmentKey } from '../../src/persistence/format/object-keys.ts';
import { StoreKeys } from '../../src/persistence/format/store-keys.ts';
import { announceTo, type PeerAnnounce } from '../builders/announces.ts';
import { SimulatedTracker } from '../builders/simulated-tracker.ts';
import { makeSaver } from '../builders/snapshots.ts';
import { MemoryStore } from '../builders/store.ts';
import { infoHash, NOW } from '../builders/swarm.ts';
import { goldenTable } from './golden-table.ts';

export const ACCESS_KEY = 'access/golden0001/0000000001';
export const JOURNAL_BOOT = 'golden0002';
export const SEGMENT_KEYS: readonly string[] = [1, 2].map((sequence) =>
  segmentKey({ boot: JOURNAL_BOOT, sequence }),
);

const heard = (peer: number, changes: Partial<PeerAnnounce> = {}): PeerAnnounce => ({
  swarm: peer % 30,
  peer,
  isIpv6: peer % 3 === 0,
  event: peer % 13 === 0 ? 'paused' : 'none',
  left: peer % 4 === 0 ? 'zero' : 'some',
  hasOtherId: false,
  ...changes,
});
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number);

/** What the golden journal tells of. */
export const GOLDEN_SEGMENTS: readonly (readonly PeerAnnounce[])[] = [
  numbers(400).map((peer) => heard(peer)),
  [
    ...numbers(40).map((number) => heard(number * 7, { event: 'completed', left: 'zero' })),
    ...numbers(20).map((number) => heard(number * 11, { event: 'stopped' })),
    heard(11, { hasOtherId: true }),
  ],
];

/** 00 01 02 … 1f. */
export const GOLDEN_KEY = Uint8Array.from({ length: 32 }, (_, at) => at);

/** The golden key with nonces f0 f1 … fa 01, f0 f1 … fa 02 and so on. */
export function goldenKeys(): StoreKeys {
  let nonces = 0;
  return new StoreKeys([GOLDEN_KEY], (count) => {
    nonces += 1;
    return Uint8Array.from({ length: count }, (_, at) => (at === count - 1 ? nonces : 0xf0 + at));
  });
}

export async function goldenObjects(keys: StoreKeys): Promise<ReadonlyMap<string, Uint8Array>> {
  const store = new MemoryStore();
  store.clockOffsetSeconds = 30;
  await makeSaver(store, goldenTable(), { boot: 'golden0001', keys }).save('schedule');

  const changes = new AccessObjectWriter(ACCESS_KEY, keys);
  const at = NOW - 1_000;
  for (let number = 0; number < 1_000; number++) {
    changes.add('bans', { infoHash: infoHash(number), isListed: true, atSeconds: at, reason: 'a list' });
  }
  changes.add('bans', { infoHash: infoHash(5), isListed: false, atSeconds: at + 1, reason: 'ein Irrtum, schön' });
  changes.add('allowed', { infoHash: infoHash(2_000), isListed: true, atSeconds: at + 2, reason: '' });
  await store.put(ACCESS_KEY, changes.finish());
  await writeGoldenJournal(store, keys);
  return new Map([...store.objects].map(([key, { bytes }]) => [key, bytes]));
}

/** Two segments of a writer whose clock is 30 s behind the store's: 400 peers, then seeders, stops and a peer that came back. */
async function writeGoldenJournal(store: MemoryStore, keys: StoreKeys): Promise<void> {
  const tracker = new SimulatedTracker({
    boot: JOURNAL_BOOT,
    shared: store,
    keys,
    trueSeconds: () => NOW + 30,
    behindSeconds: 30,
  });
  for (const segment of GOLDEN_SEGMENTS) {
    for (const one of segment) announceTo(tracker.tracker, one, NOW);
    await tracker.writeJournal();
  }
  tracker.kill();
}
