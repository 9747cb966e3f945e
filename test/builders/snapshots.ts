/** Savers, restorers and what they share, for tests, with a clock that stands still unless the test moves it. */
import { JOURNAL_PREFIX } from '../../src/persistence/format/object-keys.ts';
import { JournalReader } from '../../src/persistence/journal/journal-reader.ts';
import { ManifestCache } from '../../src/persistence/listing/manifest-cache.ts';
import { NewerObjects } from '../../src/persistence/listing/newer-objects.ts';
import { StopMemory } from '../../src/persistence/merge/stop-memory.ts';
import { TableTurn } from '../../src/persistence/merge/table-turn.ts';
import { Restorer, type RestorerOptions } from '../../src/persistence/snapshot/restorer.ts';
import { type RestoreVerdict, Saver, type SaverOptions } from '../../src/persistence/snapshot/saver.ts';
import type { Store } from '../../src/persistence/store/store.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { noKeys } from './keys.ts';
import { memoryLog } from './log.ts';
import { HASH_KEY, NOW } from './swarm.ts';

export const PEER_TTL_SECONDS = 3_600;
/** A restore that found an empty store. */
function settled(): RestoreVerdict {
  return {
    isSettled: true,
    changesSaved: 0,
    savedSeconds: undefined,
    newer: new NewerObjects(),
    isDamaged: () => false,
  };
}

export function makeSaver(store: Store, table: SwarmTable, options: Partial<SaverOptions> = {}): Saver {
  return new Saver({
    store,
    table,
    restore: settled(),
    keys: noKeys(),
    journal: { cut: () => 0, stored: () => Promise.resolve(), lostSequence: 0 },
    others: { vector: new Map(), isDamaged: () => false },
    follow: (signal) => store.list(JOURNAL_PREFIX, signal),
    manifests: new ManifestCache(store, options.keys ?? noKeys()),
    turn: new TableTurn(),
    journalSeconds: 0,
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
  const common = {
    store,
    table,
    keys: noKeys(),
    newer: new NewerObjects(),
    stops: new StopMemory({ hashKey: HASH_KEY, journalSeconds: 0 }),
    isServed: () => true,
    peerTtlSeconds: PEER_TTL_SECONDS,
    addresses: { add: () => {} },
    nowSeconds: () => NOW,
    monotonicMs: () => performance.now(),
    log: memoryLog(),
    ...options,
  };
  return new Restorer({
    journal: new JournalReader({ boot: 'boot0002', turn: new TableTurn(), ...common, table }),
    whenServedIsKnown: Promise.resolve(),
    retryMs: 1,
    ...common,
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
