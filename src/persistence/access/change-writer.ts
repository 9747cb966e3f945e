/**
 * Puts changes of the access lists into the store, one at a time, and answers each in time (rule D-B1). What is in force
 * already is tried until it is stored, however long that takes. What gives service back is put in force once it is
 * stored, or else given up for good; then what may have been put of it is deleted. Leaves what a change means, and the
 * lists, to the access log.
 */
import type { Log, LogFields } from '../../log.ts';
import { timeLimit } from '../../time-limit.ts';
import type { Store, StoreFailure } from '../store/store.ts';
import { type QueuedWork, WriteQueue } from '../store/write-queue.ts';

/** When a small change is answered at the latest, stored or not; one that has much to send before it gets longer. */
const CHANGE_MS_MAX = 10_000;
/** An uplink that is slower than this makes large changes wait for their answers in vain. */
const UPLINK_BYTES_PER_MS = 512;
/** Routers in front of the tracker give up after 30 s. */
const ANSWER_MS_MAX = 25_000;

export interface ChangeWriterOptions {
  readonly store: Store;
  readonly log: Log;
  readonly changeMsMax?: number | undefined;
  readonly retryMs?: number | undefined;
}

/** A change as it goes to the store. */
export interface WritableChange {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** For the log. */
  readonly list: string;
  readonly hashes: readonly Uint8Array[];
}

export class ChangeWriter {
  readonly #options: ChangeWriterOptions;
  readonly #queue: WriteQueue;
  /** Deletes of what may have been put and must not count; these hold up no change. */
  readonly #withdrawals: WriteQueue;
  /** Of changes that wait for the store. */
  waitingBytes = 0;

  constructor(options: ChangeWriterOptions) {
    this.#options = options;
    this.#queue = new WriteQueue(options.retryMs);
    this.#withdrawals = new WriteQueue(options.retryMs);
  }

  /** Changes that wait for the store. */
  get waiting(): number {
    return this.#queue.waiting.length;
  }

  /**
   * Stores what is in force already. `onStored` is called when that is done, late or not.
   *
   * @returns whether it was stored in time
   */
  storeAtLast(change: WritableChange, onStored: () => void): Promise<boolean> {
    const { store, log } = this.#options;
    const { key, bytes } = change;
    this.waitingBytes += bytes.length;
    return new Promise((resolve) => {
      let isStored = false;
      let isLate = false;
      const answerLate = (failure: StoreFailure): void => {
        if (isStored || isLate) return;
        isLate = true;
        log.error(
          'A change of the access lists is in force but not stored yet; it is tried until it is.',
          fieldsOf(change, failure),
        );
        resolve(false);
      };
      this.#answerLimit().addEventListener('abort', () => answerLate('timed-out'));
      this.#queue.push({
        what: key,
        run: async (signal) => {
          await store.put(key, bytes, signal);
          isStored = true;
          this.waitingBytes -= bytes.length;
          onStored();
          if (isLate)
            log.info('A change of the access lists that waited for the store is stored now.', { key });
          resolve(true);
        },
        failed: (error) => {
          answerLate(error.failure);
          return true;
        },
      });
    });
  }

  /**
   * Stores what gives service back, in time or not at all. `onStored` puts it in force; nothing that waits behind it is
   * stored before that is done.
   *
   * @returns whether it was stored
   */
  storeOrGiveUp(change: WritableChange, onStored: () => Promise<void>): Promise<boolean> {
    const { store, log } = this.#options;
    const { key, bytes } = change;
    this.waitingBytes += bytes.length;
    return new Promise((resolve) => {
      const limit = this.#answerLimit();
      let isTried = false;
      const giveUp = (failure: StoreFailure): void => {
        this.waitingBytes -= bytes.length;
        if (isTried) this.withdraw(key, failure);
        log.error(
          'A change of the access lists was not made: the store did not take it.',
          fieldsOf(change, failure),
        );
        resolve(false);
      };
      const work: QueuedWork = {
        what: key,
        run: async (signal) => {
          isTried = true;
          const both = timeLimit(ANSWER_MS_MAX, signal, limit);
          try {
            await store.put(key, bytes, both.signal);
          } finally {
            both.end();
          }
          await onStored();
          this.waitingBytes -= bytes.length;
          resolve(true);
        },
        failed: (error) => {
          giveUp(error.failure);
          return false;
        },
      };
      limit.addEventListener('abort', () => {
        if (isTried) return; // then the try itself ends by the limit
        this.#queue.remove(work);
        giveUp('timed-out');
      });
      this.#queue.push(work);
    });
  }

  /** A put that failed may have happened all the same, if it came so far; nobody was told that it did, so it must not count. */
  withdraw(key: string, failure: StoreFailure): void {
    if (failure === 'denied' || failure === 'no-bucket' || failure === 'locked') return;
    this.#withdrawals.push({
      what: key,
      run: (signal) => this.#options.store.delete(key, signal),
      failed: () => true,
    });
  }

  /** Gives what waits until the signal fires to be done. Nothing may be written after this. */
  async close(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#queue.drain(signal), this.#withdrawals.drain(signal)]);
    const changes = this.#queue.waiting;
    if (changes.length > 0) {
      this.#options.log.error('Changes of the access lists are lost: the store did not take them.', {
        changes: changes.slice(0, 100),
      });
    }
    const objects = this.#withdrawals.waiting;
    if (objects.length > 0) {
      this.#options.log.error(
        'Changes that were answered as not made may be stored all the same: they could not be deleted.',
        { objects: objects.slice(0, 100) },
      );
    }
  }

  /** Fires when the change that was accepted last is to be answered. */
  #answerLimit(): AbortSignal {
    const ms = (this.#options.changeMsMax ?? CHANGE_MS_MAX) + this.waitingBytes / UPLINK_BYTES_PER_MS;
    return AbortSignal.timeout(Math.floor(Math.min(ms, ANSWER_MS_MAX)));
  }
}

function fieldsOf({ key, list, hashes }: WritableChange, failure: StoreFailure): LogFields {
  return { key, list, hashes: hashes.length, failure };
}
