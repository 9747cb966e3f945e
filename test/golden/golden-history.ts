/**
 * What stands in test/golden/version-1-history/ and test/golden/version-1-history-sealed/: a snapshot with a part of
 * history, and a segment of the journal past it with the points of two more minutes.
 */
import type { StoreKeys } from '../../src/persistence/format/store-keys.ts';
import { History } from '../../src/stats/history.ts';
import { announceTo, type PeerAnnounce } from '../builders/announces.ts';
import { addMinutes, MINUTE } from '../builders/history-points.ts';
import { SimulatedTracker } from '../builders/simulated-tracker.ts';
import { MemoryStore } from '../builders/store.ts';

/** A whole number of ten minutes by the writer's clock, which is 20 s behind the store's. */
export const HISTORY_END = 1_700_000_400;
export const BEHIND_SECONDS = 20;
export const HISTORY_MINUTES = 2_000;
/** Not known to the history: an outage of an hour. */
export const OUTAGE_MINUTES = 60;
export const EARLIER_RESTARTS = 4;
export const PEERS = 3;

/** What a tracker shows that has restored the golden history. */
export function goldenHistory(): History {
  const history = new History();
  history.noteEarlierStarts(EARLIER_RESTARTS);
  addMinutes(history, HISTORY_END - (500 + OUTAGE_MINUTES) * MINUTE, HISTORY_MINUTES - 500);
  addMinutes(history, HISTORY_END, 500);
  return history;
}

export async function goldenHistoryObjects(keys: StoreKeys): Promise<ReadonlyMap<string, Uint8Array>> {
  const shared = new MemoryStore();
  const history = goldenHistory();
  const trueSeconds = (): number => HISTORY_END + BEHIND_SECONDS;
  const tracker = new SimulatedTracker({
    boot: 'golden0005',
    shared,
    keys,
    trueSeconds,
    behindSeconds: BEHIND_SECONDS,
    history,
  });
  await tracker.start();
  const hear = (peer: number): void => {
    const one: PeerAnnounce = { swarm: 1, peer, isIpv6: false, event: 'none', left: 'some', hasOtherId: false };
    announceTo(tracker.tracker, one, tracker.nowSeconds());
  };
  for (let peer = 1; peer < PEERS; peer++) hear(peer);
  await tracker.saver.save('signal');
  hear(PEERS);
  addMinutes(history, HISTORY_END + 2 * MINUTE, 2);
  await tracker.writeJournal();
  tracker.kill();
  return new Map([...shared.objects].map(([key, { bytes }]) => [key, bytes]));
}
