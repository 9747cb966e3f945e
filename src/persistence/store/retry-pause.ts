/** How long to wait before the store is asked again after it failed: longer each time, up to a limit. */

const FIRST_MS = 1_000;
const FACTOR_MAX = 30;

export class RetryPause {
  readonly #firstMs: number;
  #tries = 0;

  constructor(firstMs: number = FIRST_MS) {
    this.#firstMs = firstMs;
  }

  nextMs(): number {
    const factor = Math.min(2 ** this.#tries, FACTOR_MAX);
    this.#tries += 1;
    return this.#firstMs * factor;
  }

  reset(): void {
    this.#tries = 0;
  }
}

/** Resolves after so many milliseconds, or as soon as the signal fires. */
export function pauseMs(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
