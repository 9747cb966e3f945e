/**
 * What a stream of objects has still to do in the store, in order and one at a time (rule D-O3). Work that must
 * not be lost stays in the queue and is tried again until it succeeds; other work is told that it failed at once,
 * so that nobody waits for a store that is down. New work makes the queue try again at once.
 */
import { RetryPause } from './retry-pause.ts';
import { StoreError } from './store.ts';

export interface QueuedWork {
  /** For the log. */
  readonly what: string;
  /** Does it, again with the same bytes when it failed before. */
  run(signal: AbortSignal): Promise<void>;
  /** Told after each failure; true keeps the work in the queue. */
  failed(error: StoreError): boolean;
}

export interface WriteQueueOptions {
  /** How long one try may take. */
  readonly tryMsMax: number;
  /** The first pause after a failure. */
  readonly retryMs?: number | undefined;
}

/** A process that is about to end tries more often. */
const DRAINING_PAUSE_MS_MAX = 500;

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #works: QueuedWork[] = [];
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #isDraining = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /** What is still to do, the first being tried. */
  get waiting(): readonly string[] {
    return this.#works.map((work) => work.what);
  }

  push(work: QueuedWork): void {
    this.#works.push(work);
    this.#wake?.();
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to do, or as soon as the signal fires; after that nothing is tried any more. */
  async drain(signal: AbortSignal): Promise<void> {
    const end = (): void => {
      this.#ending.abort(signal.reason);
      this.#wake?.();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    this.#isDraining = true;
    this.#wake?.();
    await this.#running;
    signal.removeEventListener('abort', end);
  }

  /** Rejects, and nobody catches it, when some work throws what is no StoreError: that is a bug. */
  async #run(): Promise<void> {
    const pause = new RetryPause(this.#options.retryMs);
    while (this.#works.length > 0 && !this.#ending.signal.aborted) {
      const error = await this.#tryFirst();
      if (error === undefined) {
        this.#works.shift();
        pause.reset();
        continue;
      }
      // What failed for the first is not tried for those behind it: each is asked whether it will wait.
      const kept = this.#works.filter((work) => work.failed(error));
      this.#works.splice(0, this.#works.length, ...kept);
      if (kept.length > 0) await this.#pauseOrWake(pause.nextMs());
    }
    this.#running = undefined; // with no wait since the queue was seen empty, so that no push is missed
  }

  async #tryFirst(): Promise<StoreError | undefined> {
    const limit = AbortSignal.any([AbortSignal.timeout(this.#options.tryMsMax), this.#ending.signal]);
    try {
      await this.#works[0]!.run(limit);
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }

  async #pauseOrWake(ms: number): Promise<void> {
    if (this.#ending.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#isDraining ? Math.min(ms, DRAINING_PAUSE_MS_MAX) : ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
