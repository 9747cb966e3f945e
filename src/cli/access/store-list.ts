/**
 * A list in the store itself, when no tracker runs: read and changed as a tracker would, by the same code. A tracker that is
 * started later finds the changes. One that runs would hear of them only after a while, and its operator would believe
 * them in force: so nothing is done while one seems to run (none-runs.ts).
 */
import { Access, type ListName } from '../../access/access.ts';
import type { HashPage } from '../../access/hash-list.ts';
import { HashPattern, HashSearch } from '../../access/hash-search.ts';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../log.ts';
import { AccessLog, CHANGE_HASHES_MAX, type ChangeOutcome } from '../../persistence/access/access-log.ts';
import { GuardedStore } from '../../persistence/format/guarded-store.ts';
import { SNAPSHOTS_PREFIX } from '../../persistence/format/object-keys.ts';
import { StoreKeys } from '../../persistence/format/store-keys.ts';
import { openStore } from '../../persistence/store/open-store.ts';
import type { Store } from '../../persistence/store/store.ts';
import { WatchedStore } from '../../persistence/store/watched-store.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { runInSlices } from '../../slices.ts';
import { timeLimit } from '../../time-limit.ts';
import { CommandError } from '../command-error.ts';
import { bootId, type Surroundings } from '../surroundings.ts';
import type { Added, HashListAccess, ListedEntry, ListHead } from './hash-lists.ts';

const LOAD_MS_MAX = 20_000;
const CLOSE_MS_MAX = 25_000;
const PAGE_HASHES = 1_000;

export class StoreList implements HashListAccess {
  readonly name: ListName;
  readonly where: string;
  readonly hashesPerChange = CHANGE_HASHES_MAX;
  readonly #access: Access;
  readonly #accessLog: AccessLog;
  readonly #surroundings: Surroundings;

  /** Opens the store and reads the lists. Throws a CommandError or a StoreError. */
  static async open(
    surroundings: Surroundings,
    options: {
      readonly name: ListName;
      readonly config: Config;
      readonly signal: AbortSignal;
      /** Throws a CommandError when a tracker runs that the command must not meet. */
      readonly assertUnused: (store: Store) => Promise<unknown>;
    },
  ): Promise<StoreList> {
    const { config, signal } = options;
    const { nowSeconds, monotonicMs, random, randomBytes } = surroundings;
    const keys = new StoreKeys(config.storeKeys, randomBytes);
    const log = told();
    const driver = await openStore(config.store, { nowSeconds });
    const store = new GuardedStore(new WatchedStore(driver, { log, nowSeconds, monotonicMs }), keys);
    // So that a store that cannot be read is told in its own words, and not tried for a while.
    await store.list(SNAPSHOTS_PREFIX, signal);
    await options.assertUnused(store);
    const hashKey = [random(), random()] as const;
    const access = new Access({
      mode: config.accessMode,
      hashKey,
      bannedByEnvironment: config.bannedHashes,
      allowedByEnvironment: config.allowedHashes,
    });
    const boot = bootId(surroundings);
    const dropSwarm = (): void => {};
    const accessLog = new AccessLog({ store, access, boot, keys, dropSwarm, nowSeconds, monotonicMs, log });
    const limit = timeLimit(LOAD_MS_MAX, signal);
    const isLoaded = await accessLog.load(limit.signal).finally(() => limit.end());
    if (!isLoaded) {
      await accessLog.close(AbortSignal.abort());
      signal.throwIfAborted();
      throw new CommandError(
        `The lists in ${store.address} could not be read: ${log.last ?? 'it took too long'}`,
      );
    }
    return new StoreList({ name: options.name, where: store.address, access, accessLog, surroundings });
  }

  private constructor(parts: {
    readonly name: ListName;
    readonly where: string;
    readonly access: Access;
    readonly accessLog: AccessLog;
    readonly surroundings: Surroundings;
  }) {
    this.name = parts.name;
    this.where = parts.where;
    this.#access = parts.access;
    this.#accessLog = parts.accessLog;
    this.#surroundings = parts.surroundings;
  }

  async *entries(
    search: string | undefined,
    onHead: (head: ListHead) => void,
  ): AsyncGenerator<ListedEntry, void, void> {
    const list = this.#access.list(this.name);
    const pattern = search === undefined ? undefined : new HashPattern(search);
    const byEnvironment = this.#access
      .byEnvironment(this.name)
      .filter((infoHash) => pattern === undefined || pattern.matches(infoHash, ''))
      .map(formatInfoHash);
    onHead({ count: list.size, byEnvironment });
    for (let cursor: number | undefined = 0; cursor !== undefined; ) {
      const run: HashSearch = new HashSearch(list, pattern, { cursor, countMax: PAGE_HASHES });
      await runInSlices(() => run.step(), this.#surroundings);
      const { hashes, next }: HashPage = run.page;
      for (const { infoHash, reason, atSeconds } of hashes)
        yield {
          infoHash: formatInfoHash(infoHash),
          reason,
          changedAt: new Date(atSeconds * 1_000).toISOString(),
        };
      cursor = next;
    }
  }

  async add(hashes: readonly Uint8Array[], reason: string): Promise<Added> {
    const list = this.#access.list(this.name);
    const alreadyListed = hashes.filter((infoHash) => list.has(infoHash)).length;
    this.#check(await this.#accessLog.change({ list: this.name, isListed: true, hashes, reason }));
    return { added: hashes.length - alreadyListed, alreadyListed };
  }

  /** As one change. */
  async remove(
    hashes: readonly Uint8Array[],
    onDone: (count: number) => void,
  ): Promise<readonly Uint8Array[]> {
    const list = this.#access.list(this.name);
    const isThere = (infoHash: Uint8Array): boolean =>
      list.has(infoHash) || this.#access.isByEnvironment(this.name, infoHash);
    const listed = hashes.filter(isThere);
    const notListed = hashes.filter((infoHash) => !isThere(infoHash));
    if (listed.length > 0) {
      const change = { list: this.name, isListed: false, hashes: listed, reason: '' };
      this.#check(await this.#accessLog.change(change));
    }
    onDone(hashes.length);
    return notListed;
  }

  async close(): Promise<void> {
    const limit = timeLimit(CLOSE_MS_MAX);
    await this.#accessLog.close(limit.signal).finally(() => limit.end());
  }

  #check(outcome: ChangeOutcome): void {
    switch (outcome.kind) {
      case 'stored':
        return;
      case 'by-environment':
        throw new CommandError(
          `${formatInfoHash(outcome.infoHash)} stands in ${outcome.variable}: take it out there.`,
        );
      case 'full':
        throw new CommandError('The list can hold no more hashes.');
      case 'too-many':
        throw new CommandError(`A change may name up to ${outcome.hashesMax} hashes.`);
      default:
        throw new CommandError(`${this.where} did not take the change.`);
    }
  }
}

/** A log that remembers what went wrong last. */
function told(): Log & { last: string | undefined } {
  const log = {
    last: undefined as string | undefined,
    debug() {},
    info() {},
    warn() {},
    error(message: string) {
      log.last = message;
    },
  };
  return log;
}
