/** Stores for tests: one fresh store of each driver, and a store that does as it is told. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/persistence/store/open-store.ts';
import {
  type Store,
  type StoredObject,
  StoreError,
  type StoreFailure,
} from '../../src/persistence/store/store.ts';
import { startS3Server } from './s3-server.ts';

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export interface StoreDriver {
  readonly name: string;
  /** A store with nothing in it. */
  open(): Promise<Store>;
  close(): Promise<void>;
}

/** Both drivers, for suites that hold for either; close each when its tests are done. */
export const storeDrivers: readonly { readonly name: string; start(): Promise<StoreDriver> }[] = [
  { name: 'directory', start: startDirectoryDriver },
  { name: 's3', start: startS3Driver },
];

async function startDirectoryDriver(): Promise<StoreDriver> {
  const directory = await mkdtemp(join(tmpdir(), 'trakx-store-'));
  let stores = 0;
  return {
    name: 'directory',
    open: () => openStore({ kind: 'directory', path: join(directory, String(stores++)) }, { nowSeconds }),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

async function startS3Driver(): Promise<StoreDriver> {
  const server = await startS3Server();
  return {
    name: 's3',
    open: () => openStore(server.address(), { nowSeconds }),
    close: () => server.close(),
  };
}

/** A call that a MemoryStore saw. */
export interface StoreCall {
  readonly verb: 'put' | 'get' | 'list' | 'delete';
  readonly key: string;
}

/** A store in memory whose failures the test decides: set `failure`, or `hook` to decide call by call. */
export class MemoryStore implements Store {
  readonly address = 'memory:';
  clockOffsetSeconds = 0;
  readonly objects = new Map<string, { bytes: Uint8Array; lastModifiedSeconds: number }>();
  readonly calls: StoreCall[] = [];
  failure: StoreFailure | undefined;
  nowSeconds = nowSeconds;
  hook: ((call: StoreCall, signal: AbortSignal | undefined) => Promise<void> | void) | undefined;

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#before({ verb: 'put', key }, signal);
    this.objects.set(key, { bytes: Uint8Array.from(bytes), lastModifiedSeconds: this.nowSeconds() });
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    await this.#before({ verb: 'get', key }, signal);
    const object = this.objects.get(key);
    if (object === undefined) throw new StoreError('not-found', `no ${key}`);
    return Uint8Array.from(object.bytes);
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    await this.#before({ verb: 'list', key: prefix }, signal);
    return [...this.objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { bytes, lastModifiedSeconds }]) => ({ key, sizeBytes: bytes.length, lastModifiedSeconds }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    await this.#before({ verb: 'delete', key }, signal);
    this.objects.delete(key);
  }

  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async #before(call: StoreCall, signal: AbortSignal | undefined): Promise<void> {
    this.calls.push(call);
    await this.hook?.(call, signal);
    if (this.failure !== undefined) throw new StoreError(this.failure, `the store is ${this.failure}`);
  }
}

/** For assert.rejects: a StoreError of this kind. */
export function failsWith(failure: StoreFailure): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StoreError, `not a StoreError: ${error}`);
    assert.equal(error.failure, failure, error.message);
    return true;
  };
}
