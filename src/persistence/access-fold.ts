/**
 * Folds the access log: writes what the lists hold as one object, and only then deletes the objects whose changes
 * it holds (rule D-B2). Removals are kept for 30 days, so that an older ban that some reader still meets does not
 * come back.
 */
import type { Access, ListName } from '../access/access.ts';
import type { Log } from '../log.ts';
import { type MonotonicMs, runInSlices } from '../slices.ts';
import type { AccessLoader } from './access-loader.ts';
import { AccessObjectWriter } from './access-object.ts';
import type { Store } from './store.ts';

const REMOVALS_KEPT_SECONDS = 30 * 86_400;
const HASHES_PER_STEP = 128;

export interface AccessFoldOptions {
  readonly store: Store;
  readonly access: Access;
  readonly loader: AccessLoader;
  /** Puts the object in its turn; resolves with its key. */
  readonly put: (bytes: Uint8Array) => Promise<string>;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
}

export class AccessFold {
  readonly #options: AccessFoldOptions;

  constructor(options: AccessFoldOptions) {
    this.#options = options;
  }

  /** Rejects with a StoreError; then nothing that was there before is missing. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, loader, put, log } = this.#options;
    await loader.readNew(signal);
    if (!loader.isFoldDue) return;
    // What is put from here on is not in this list, and so not deleted, whether it gets into the fold or not.
    const folded = loader.read;
    const writer = new AccessObjectWriter();
    await this.#write('bans', writer, signal);
    await this.#write('allowed', writer, signal);
    const key = await put(writer.finish());
    loader.wrote(key);
    for (const old of folded) {
      await store.delete(old, signal);
      loader.deleted(old);
    }
    log.info('Folded the access log.', { objects: folded.length, into: key });
  }

  async #write(name: ListName, writer: AccessObjectWriter, signal: AbortSignal): Promise<void> {
    const { access, store, nowSeconds, monotonicMs } = this.#options;
    const list = access.list(name);
    const oldSeconds = nowSeconds() + store.clockOffsetSeconds - REMOVALS_KEPT_SECONDS;
    let cursor = 0;
    const step = (): boolean => {
      const end = Math.min(list.cursorEnd, cursor + HASHES_PER_STEP);
      for (; cursor < end; cursor++) {
        if (list.forgetRemoval(cursor, oldSeconds)) continue;
        const listed = list.at(cursor);
        if (listed !== undefined) writer.add(name, listed);
      }
      return cursor < list.cursorEnd;
    };
    await runInSlices(step, { monotonicMs, signal });
  }
}
