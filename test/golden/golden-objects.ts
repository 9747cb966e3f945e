/** What stands in test/golden/: a snapshot of the golden table and a change of the access lists, plain or sealed. */
import { AccessObjectWriter } from '../../src/persistence/access-object.ts';
import { StoreKeys } from '../../src/persistence/store-keys.ts';
import { makeSaver } from '../builders/snapshots.ts';
import { MemoryStore } from '../builders/store.ts';
import { infoHash, NOW } from '../builders/swarm.ts';
import { goldenTable } from './golden-table.ts';

export const ACCESS_KEY = 'access/golden0001/0000000001';
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
  return new Map([...store.objects].map(([key, { bytes }]) => [key, bytes]));
}
