/** Trackers' parts over a store in memory whose objects are sealed, with one key or another. */
import assert from 'node:assert/strict';
import { Access } from '../../src/access/access.ts';
import { AccessLog, type AccessLogOptions } from '../../src/persistence/access/access-log.ts';
import { GuardedStore } from '../../src/persistence/format/guarded-store.ts';
import { isSealedHeader } from '../../src/persistence/format/object-format.ts';
import type { StoreKeys } from '../../src/persistence/format/store-keys.ts';
import type { Restorer } from '../../src/persistence/snapshot/restorer.ts';
import type { Store } from '../../src/persistence/store/store.ts';
import { WatchedStore } from '../../src/persistence/store/watched-store.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import type { PeerAnnounce } from './announces.ts';
import { type MemoryLog, memoryLog } from './log.ts';
import { fillTable } from './saved-swarms.ts';
import { makeRestorer, makeSaver } from './snapshots.ts';
import type { MemoryStore } from './store.ts';
import { HASH_KEY, infoHash, NOW, swarmTable } from './swarm.ts';

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const smallTable = (): SwarmTable => swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });

export function filledTable(peers = 300): SwarmTable {
  const table = smallTable();
  fillTable(table, { peers, nowSeconds: NOW });
  return table;
}

export const seeder = (peer: number): PeerAnnounce => ({
  swarm: 1,
  peer,
  isIpv6: false,
  event: 'none',
  left: 'zero',
  hasOtherId: false,
});

/** Saves the table as the tracker of this boot would; what is there before need not be readable. */
export async function saveWith(
  store: Store,
  table: SwarmTable,
  keys: StoreKeys,
  boot: string,
  keep = 5,
): Promise<void> {
  const outcome = await makeSaver(store, table, { keys, boot, keep }).save('schedule');
  assert.equal(outcome.kind, 'saved');
}

/** A restore that has tried often enough to be seen not to settle. */
export async function stuckRestore(
  store: MemoryStore,
  table: SwarmTable,
  keys: StoreKeys,
): Promise<{ readonly restorer: Restorer; readonly log: MemoryLog }> {
  const log = memoryLog();
  const restorer = makeRestorer(store, table, { keys, log });
  const ending = new AbortController();
  const running = restorer.run(ending.signal);
  const listings = (): number => store.calls.filter(({ verb }) => verb === 'list').length;
  for (const before = listings(); listings() < before + 4; ) {
    await nextTurn();
    assert.equal(restorer.isSettled, false);
  }
  while (restorer.progress.phase !== 'failing') await nextTurn();
  ending.abort();
  await running;
  assert.equal(restorer.isSettled, false);
  return { restorer, log };
}

export function openAccess(
  store: Store,
  keys: StoreKeys,
  boot: string,
  options: Partial<AccessLogOptions> = {},
): { readonly access: Access; readonly accessLog: AccessLog; readonly log: MemoryLog } {
  const access = new Access({
    mode: 'open',
    hashKey: HASH_KEY,
    bannedByEnvironment: [],
    allowedByEnvironment: [],
  });
  const log = memoryLog();
  const accessLog = new AccessLog({
    store,
    access,
    keys,
    boot,
    dropSwarm: () => {},
    nowSeconds: () => NOW,
    monotonicMs: () => performance.now(),
    log,
    retryMs: 1,
    ...options,
  });
  return { access, accessLog, log };
}

export const ban = (number: number) =>
  ({ list: 'bans', isListed: true, hashes: [infoHash(number)], reason: 'asked for' }) as const;
export const unban = (number: number) => ({ ...ban(number), isListed: false }) as const;

/** The store as the tracker has it. */
export function guard(store: MemoryStore, keys: StoreKeys): GuardedStore {
  return new GuardedStore(
    new WatchedStore(store, {
      log: memoryLog(),
      nowSeconds: () => NOW,
      monotonicMs: () => performance.now(),
    }),
    keys,
  );
}

/** A signal that fires soon: what is loaded by then is all that is waited for. */
export const soon = (): AbortSignal => AbortSignal.timeout(20);
export const never = (): AbortSignal => new AbortController().signal;

export const isSealed = ({ objects }: MemoryStore, key: string): boolean =>
  isSealedHeader(Buffer.from(objects.get(key)!.bytes));
