/**
 * What a stream of objects has still to do in the store, in order and one at a time (rule D-O3). Work that must
 * not be lost stays in the queue and is tried again until it succeeds; other work is told that it failed at once,
 * so that nobody waits for a store that is down. Work that merely took too long goes to the end instead, and says
 * nothing of what is behind it. New work makes the queue try again at once. How long one try may take is the store's
 * to say.
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

/** A process that is about to end tries more often. */
const DRAINING_PAUSE_MS_MAX = 500;

export class WriteQueue {
  readonly #pause: RetryPause;
  #works: QueuedWork[] = [];
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #isDraining = false;

  /** `retryMs` is the first pause after a failure. */
  constructor(retryMs?: number) {
    this.#pause = new RetryPause(retryMs);
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

  /** Takes back work that has not been tried. */
  remove(work: QueuedWork): void {
    this.#works = this.#works.filter((each) => each !== work);
  }

  /**
   * Resolves when nothing is left to do, when the store is locked, or as soon as the signal fires; after that nothing is
   * tried any more.
   */
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
    while (this.#works.length > 0 && !this.#ending.signal.aborted) {
      const first = this.#works[0]!;
      const error = await this.#try(first);
      if (error === undefined) {
        this.#works.shift();
        this.#pause.reset();
        continue;
      }
      if (this.#isDraining && error.failure === 'locked') break; // no key comes to a process that ends
      if (error.failure === 'timed-out' && !this.#ending.signal.aborted) {
        this.#works.shift();
        if (first.failed(error)) this.#works.push(first);
      } else {
        // What failed for the first is not tried for those behind it: each is asked whether it will wait.
        this.#works = this.#works.filter((work) => work.failed(error));
      }
      if (this.#works.length > 0) await this.#pauseOrWake(this.#pause.nextMs());
    }
    this.#running = undefined; // with no wait since the queue was seen empty, so that no push is missed
  }

  async #try(work: QueuedWork): Promise<StoreError | undefined> {
    try {
      await work.run(this.#ending.signal);
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
