/**
 * What the tracker asks of a store: whole objects under keys, each written once by one writer (rule D-O1).
 * Two drivers keep these promises, a directory and S3, and one conformance suite holds both to them.
 * What the objects mean is left to those who write them.
 */

export interface StoredObject {
  /** Below the store's own prefix, parts joined by '/'. */
  readonly key: string;
  readonly sizeBytes: number;
  /** By the store's clock, seconds since the epoch. */
  readonly lastModifiedSeconds: number;
}

/** Clocks are read in whole seconds, so an offset of one is none. */
export const CLOCK_OFFSET_SECONDS_MIN = 2;

/** A service answers a listing in pages of so many, each a request of its own. */
export const LIST_PAGE_KEYS = 1_000;

/** The largest object that a driver gives out. */
export const OBJECT_BYTES_MAX = 256 * 1024 * 1024;

/**
 * The contract of a store.
 *
 * - Atomic: an object is seen whole under its key or not at all, by `get` and by `list`, also when the writer is
 *   killed half-way. When `put` has resolved the object survives a crash of the machine.
 * - A read or a listing that begins after a put or a delete was acknowledged shows it.
 * - Bounded: every call ends within the driver's time limit, the reading of a body included, and soon after the
 *   caller's signal fires, whatever the other side does. A put that failed may still have happened: the caller
 *   puts the same bytes under the same key again, or deletes the key.
 * - Keys are parts of `A-Z a-z 0-9 - _ .` joined by '/', none of them starting with a dot; anything else is the
 *   caller's bug and throws a RangeError.
 * - What goes wrong rejects with a StoreError, never with anything else.
 * - Bytes given to `put` are not kept after it settled, and must not change before.
 */
export interface Store {
  /** For logs: where the objects are, without secrets. */
  readonly address: string;
  /** What to add to this machine's clock to get the store's (rule D-O6); a directory's is the wall clock. */
  readonly clockOffsetSeconds: number;
  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Rejects with 'not-found' when there is no such object, and may with 'failed' when it is too large. */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Every object whose key starts with `prefix`, all pages of it, in byte order of the keys. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]>;
  /** Content with there being no such object. */
  delete(key: string, signal?: AbortSignal): Promise<void>;
}

/** A store whose word about time may still be a guess. */
export interface TimedStore extends Store {
  /** False until the store has answered for the first time: until then the offset of its clock is a guess. */
  readonly isClockKnown: boolean;
}

export type StoreFailure =
  | 'not-found'
  | 'denied'
  | 'no-bucket'
  | 'wrong-region'
  | 'throttled'
  | 'unreachable'
  | 'timed-out'
  | 'no-space'
  | 'aborted'
  /** Sealed with a key that is not in STORE_KEY (rule D-O5). */
  | 'locked'
  | 'failed';

/** A store that did not do what it was asked. The message is a sentence for the operator. */
export class StoreError extends Error {
  readonly failure: StoreFailure;

  constructor(failure: StoreFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.failure = failure;
  }
}

/** What is read, or undefined where that rejects with 'not-found'. */
export async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof StoreError && error.failure === 'not-found') return undefined;
    throw error;
  }
}

const KEY_CHARS_MAX = 900;
const KEY = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*)(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** Throws a RangeError for a key that no store may be given. */
export function assertKey(key: string): void {
  if (key.length > KEY_CHARS_MAX || !KEY.test(key))
    throw new RangeError(`not a key of a store: ${JSON.stringify(key)}`);
}

/** The error of a call that `signal` ended: a limit that ran out is 'timed-out', anything else 'aborted'. */
export function abortedError(what: string, signal: AbortSignal): StoreError {
  const isTimeout = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return isTimeout
    ? new StoreError('timed-out', `${what} took too long and was given up.`, { cause: signal.reason })
    : new StoreError('aborted', `${what} was given up.`, { cause: signal.reason });
}

/**
 * Settles as `work` does, or rejects with the StoreError of `signal` as soon as that fires. The work itself may
 * go on unseen: its late failure is not an unhandled one.
 */
export async function withinSignal<T>(
  what: string,
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => {});
  if (signal.aborted) throw abortedError(what, signal);
  let onAbort: (() => void) | undefined;
  const given = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortedError(what, signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, given]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
