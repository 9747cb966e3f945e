/** Savers and restorers for tests, with a clock that stands still unless the test moves it. */
import { NewerObjects } from '../../src/persistence/newer-objects.ts';
import { Restorer, type RestorerOptions } from '../../src/persistence/restorer.ts';
import { type RestoreVerdict, Saver, type SaverOptions } from '../../src/persistence/saver.ts';
import type { Store } from '../../src/persistence/store.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { noKeys } from './keys.ts';
import { memoryLog } from './log.ts';
import { NOW } from './swarm.ts';

export const PEER_TTL_SECONDS = 3_600;
/** A restore that found an empty store. */
function settled(): RestoreVerdict {
  return { isSettled: true, changesSaved: 0, newer: new NewerObjects(), isDamaged: () => false };
}

export function makeSaver(store: Store, table: SwarmTable, options: Partial<SaverOptions> = {}): Saver {
  return new Saver({
    store,
    table,
    restore: settled(),
    keys: noKeys(),
    boot: 'boot0001',
    keep: 5,
    nowSeconds: () => NOW,
    monotonicMs: () => performance.now(),
    log: memoryLog(),
    ...options,
  });
}

export function makeRestorer(
  store: Store,
  table: SwarmTable,
  options: Partial<RestorerOptions> = {},
): Restorer {
  return new Restorer({
    store,
    table,
    keys: noKeys(),
    isServed: () => true,
    whenServedIsKnown: Promise.resolve(),
    peerTtlSeconds: PEER_TTL_SECONDS,
    addresses: { add: () => {} },
    nowSeconds: () => NOW,
    monotonicMs: () => performance.now(),
    log: memoryLog(),
    retryMs: 1,
    ...options,
  });
}

/** Runs a restore until it has settled. */
export async function restore(
  store: Store,
  table: SwarmTable,
  options: Partial<RestorerOptions> = {},
): Promise<Restorer> {
  const restorer = makeRestorer(store, table, options);
  await restorer.run(new AbortController().signal);
  return restorer;
}
