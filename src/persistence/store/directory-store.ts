/**
 * A store in a directory: each object a file at its key's path. Promises what Store promises by writing a
 * temporary file in the same folder, syncing it, renaming it, and syncing the folder. Temporary files start with
 * a dot, which no key does, so a listing never shows one; those that a killed writer left go when they are old.
 */
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { timeLimit } from '../../time-limit.ts';
import {
  assertKey,
  CLOCK_OFFSET_SECONDS_MIN,
  type Store,
  type StoredObject,
  StoreError,
  type StoreFailure,
  withinSignal,
} from './store.ts';

export interface DirectoryStoreOptions {
  /** Relative to the working directory, or absolute; made when the first object is put. */
  readonly path: string;
  /** The tracker's own clock, which runs evenly and so may come to differ from the files'. */
  readonly nowSeconds: () => number;
  /** The clock by which the file system dates its files; the tracker's own when there is none. */
  readonly wallSeconds?: () => number;
  /** How long one call may take. */
  readonly operationMsMax?: number;
}

const OPERATION_MS_MAX = 30_000;
const TEMPORARY_AGE_SECONDS_MAX = 2 * 3600;
const TEMPORARY = /^\..*\.tmp$/;

const FAILURES: Readonly<Record<string, readonly [StoreFailure, string]>> = {
  ENOENT: ['not-found', 'there is no such file'],
  ENOSPC: ['no-space', 'the disk is full'],
  EDQUOT: ['no-space', 'the disk quota is used up'],
  EACCES: ['denied', 'the tracker may not do that there: see to the owner and mode of the directory'],
  EPERM: ['denied', 'the tracker may not do that there: see to the owner and mode of the directory'],
  EROFS: ['denied', 'the file system is mounted read-only'],
  EIO: ['unreachable', 'the disk does not answer as it should'],
  ESTALE: ['unreachable', 'the network file system lost the directory'],
};

/** A put misses nothing but the directory itself: 'not-found' would say that the store answers as it should. */
const GONE: readonly [StoreFailure, string] = [
  'unreachable',
  'the directory cannot be made: a link on the way to it leads nowhere, or its disk is gone',
];

export class DirectoryStore implements Store {
  readonly address: string;
  readonly #root: string;
  readonly #nowSeconds: () => number;
  readonly #wallSeconds: () => number;
  readonly #operationMsMax: number;
  #temporaries = 0;

  constructor(options: DirectoryStoreOptions) {
    this.#root = resolve(options.path);
    this.address = `file:${this.#root}`;
    this.#nowSeconds = options.nowSeconds;
    this.#wallSeconds = options.wallSeconds ?? options.nowSeconds;
    this.#operationMsMax = options.operationMsMax ?? OPERATION_MS_MAX;
  }

  get clockOffsetSeconds(): number {
    const offset = this.#wallSeconds() - this.#nowSeconds();
    return Math.abs(offset) < CLOCK_OFFSET_SECONDS_MIN ? 0 : offset;
  }

  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#bounded('put', key, signal, async (limit) => {
      const path = this.#pathOf(key);
      // A folder that was swept as empty between its making and the opening of the file is made once more.
      const file = await this.#openTemporary(path).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return this.#openTemporary(path);
        throw error;
      });
      try {
        await writeSynced(file.handle, bytes);
        limit.throwIfAborted();
        await rename(file.path, path);
      } catch (error) {
        await unlink(file.path).catch(() => {}); // what is left is swept when it is old
        throw error;
      }
      await syncFolder(dirname(path));
    });
  }

  get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#bounded('get', key, signal, (limit) => readFile(this.#pathOf(key), { signal: limit }));
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    return this.#bounded('list', prefix, signal, async (limit) => {
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      if (folder !== '') assertKey(folder.slice(0, -1));
      const found: StoredObject[] = [];
      await this.#listFolder(folder, prefix, found, limit);
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    });
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.#bounded('delete', key, signal, async () => {
      const path = this.#pathOf(key);
      await unlink(path).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
      await this.#removeEmptyFolders(key);
    });
  }

  #pathOf(key: string): string {
    assertKey(key);
    return join(this.#root, key);
  }

  async #openTemporary(path: string): Promise<{ handle: FileHandle; path: string }> {
    const folder = dirname(path);
    const made = await makeFolder(folder);
    // A new folder is an entry of its parent, which a crash may forget as well.
    if (made !== undefined) {
      for (let at = folder; at.length >= made.length && at !== dirname(at); at = dirname(at))
        await syncFolder(dirname(at));
    }
    const temporary = join(
      folder,
      `.${path.slice(folder.length + 1)}.${process.pid}-${this.#temporaries++}.tmp`,
    );
    return { handle: await open(temporary, 'w', 0o600), path: temporary };
  }

  async #listFolder(
    folder: string,
    prefix: string,
    found: StoredObject[],
    limit: AbortSignal,
  ): Promise<void> {
    limit.throwIfAborted();
    const path = join(this.#root, folder);
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    for (const entry of entries) {
      const key = folder + entry.name;
      if (entry.name.startsWith('.')) {
        if (TEMPORARY.test(entry.name)) await this.#sweepWhenOld(join(path, entry.name));
      } else if (entry.isDirectory()) {
        if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) {
          await this.#listFolder(`${key}/`, prefix, found, limit);
        }
      } else if (entry.isFile() && key.startsWith(prefix)) {
        const stats = await statOf(join(path, entry.name));
        if (stats !== undefined) found.push({ key, ...stats });
      }
    }
  }

  async #sweepWhenOld(path: string): Promise<void> {
    const stats = await statOf(path);
    if (stats === undefined || stats.lastModifiedSeconds > this.#wallSeconds() - TEMPORARY_AGE_SECONDS_MAX)
      return;
    await unlink(path).catch(() => {}); // a read-only store can still be listed
  }

  /** Takes away the folders that a delete left empty, but for the first level, which every writer shares. */
  async #removeEmptyFolders(key: string): Promise<void> {
    const parts = key.split('/').slice(0, -1);
    for (; parts.length > 1; parts.pop()) {
      try {
        await rmdir(join(this.#root, ...parts));
      } catch {
        return; // not empty, or gone already
      }
    }
  }

  async #bounded<T>(
    verb: string,
    key: string,
    signal: AbortSignal | undefined,
    work: (limit: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const what = `${verb} of ${key === '' ? 'everything' : key} in ${this.address}`;
    const limit = timeLimit(this.#operationMsMax, signal);
    try {
      return await withinSignal(what, work(limit.signal), limit.signal);
    } catch (error) {
      if (error instanceof StoreError || error instanceof RangeError) throw error;
      const code = codeOf(error);
      const isGone = verb === 'put' && code === 'ENOENT';
      const [failure, sentence] = (isGone ? GONE : FAILURES[code]) ?? [
        'failed',
        error instanceof Error ? error.message : String(error),
      ];
      throw new StoreError(failure, `${what} failed: ${sentence} (${code}).`, { cause: error });
    } finally {
      limit.end();
    }
  }
}

/**
 * Makes the folder, and those above it as far as they are missing: the first of them, undefined when it was there.
 * As `mkdir` with `recursive`, which says ENOENT, as if it only had to be tried again, where a file system is read-only.
 */
async function makeFolder(path: string): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return undefined;
    if (code !== 'ENOENT' || path === dirname(path)) throw error;
  }
  const made = await makeFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error; // made by another writer meanwhile
    return made;
  }
  return made ?? path;
}

async function writeSynced(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems have no sync for folders and say so; there is nothing more to ask of them.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

async function statOf(path: string): Promise<Omit<StoredObject, 'key'> | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { sizeBytes: size, lastModifiedSeconds: Math.floor(mtimeMs / 1000) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined; // deleted since the folder was read
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
