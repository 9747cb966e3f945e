/**
 * Folds the access log: writes what the lists hold as one object, or as several when it is much, and only then
 * deletes the objects whose changes it holds (rule D-B2). Removals are kept for 30 days, so that an older ban that
 * some reader still meets does not come back; and for longer beside a damaged object, which never goes and may hold
 * such a ban.
 */
import type { Access, ListName } from '../../access/access.ts';
import type { Log } from '../../log.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { AccessObjectWriter } from '../format/access-object.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import type { NewerObjects } from '../listing/newer-objects.ts';
import type { Store } from '../store/store.ts';
import type { AccessLoader } from './access-loader.ts';

const REMOVALS_KEPT_SECONDS = 30 * 86_400;
const HASHES_PER_STEP = 128;
/** An object is ended here, so that it can be put within the time that a store gives a call. */
const FOLD_BYTES_MAX = 8 * 1024 * 1024;

export interface AccessFoldOptions {
  readonly store: Store;
  readonly access: Access;
  readonly loader: AccessLoader;
  readonly newer: NewerObjects;
  readonly keys: StoreKeys;
  /** Where the next object of this process goes. */
  readonly newObjectKey: () => string;
  readonly put: (objectKey: string, bytes: Uint8Array) => Promise<void>;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
  readonly foldBytesMax?: number;
}

export class AccessFold {
  readonly #options: AccessFoldOptions;

  constructor(options: AccessFoldOptions) {
    this.#options = options;
  }

  /** Rejects with a StoreError; then nothing that was there before is missing. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, loader, newer, log } = this.#options;
    await loader.readNew(signal);
    if (!loader.isFoldDue) return;
    // What is put from here on is not in this list, and so not deleted, whether it gets into the fold or not.
    const folded = loader.read;
    const into = await this.#write(signal);
    if (newer.hasAny) return;
    for (const old of folded) {
      await store.delete(old, signal);
      loader.deleted(old);
    }
    log.info('Folded the access log.', { objects: folded.length, into });
  }

  /** Resolves with the keys of what was put, when all of it was. */
  async #write(signal: AbortSignal): Promise<readonly string[]> {
    const { access, loader, keys, newObjectKey, put, monotonicMs } = this.#options;
    const { foldBytesMax = FOLD_BYTES_MAX } = this.#options;
    const written: string[] = [];
    let objectKey = newObjectKey();
    let writer = new AccessObjectWriter(objectKey, keys);
    const end = async (): Promise<void> => {
      await put(objectKey, writer.finish());
      loader.wrote(objectKey);
      written.push(objectKey);
      objectKey = newObjectKey();
      writer = new AccessObjectWriter(objectKey, keys);
    };
    for (const name of ['bans', 'allowed'] as const) {
      const list = access.list(name);
      for (let cursor = 0; cursor < list.cursorEnd; ) {
        const step = (): boolean => {
          const last = Math.min(list.cursorEnd, cursor + HASHES_PER_STEP);
          for (; cursor < last; cursor++) this.#add(name, cursor, writer);
          return cursor < list.cursorEnd && writer.bytes < foldBytesMax;
        };
        await runInSlices(step, { monotonicMs, signal });
        if (writer.bytes >= foldBytesMax) await end();
      }
    }
    await end();
    return written;
  }

  #add(name: ListName, cursor: number, writer: AccessObjectWriter): void {
    const { access, store, loader, nowSeconds } = this.#options;
    const list = access.list(name);
    const oldSeconds = nowSeconds() + store.clockOffsetSeconds - REMOVALS_KEPT_SECONDS;
    if (!loader.hasUntouchable && list.forgetRemoval(cursor, oldSeconds)) return;
    const listed = list.at(cursor);
    if (listed !== undefined) writer.add(name, listed);
  }
}
