/**
 * A signal that fires when time is up, or with the first of other signals.
 *
 * AbortSignal.any over AbortSignal.timeout says the same and does not do it: Node holds a time-out's signal
 * weakly, and one that the garbage collector took away never fires (seen on Node 20: a start that waited for ever
 * for a silent store). Here a timer holds it.
 */

export interface TimeLimit {
  /** Its reason is a TimeoutError when time is up, else the other signal's. */
  readonly signal: AbortSignal;
  /** What it was for is over: the timer and the listeners go. */
  end(): void;
}

export function timeLimit(ms: number, ...others: readonly (AbortSignal | undefined)[]): TimeLimit {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException(`${ms} ms are up`, 'TimeoutError'));
    end();
  }, ms);
  const follow = (event: Event): void => {
    controller.abort((event.target as AbortSignal).reason);
    end();
  };
  function end(): void {
    clearTimeout(timer);
    for (const other of others) other?.removeEventListener('abort', follow);
  }
  for (const other of others) other?.addEventListener('abort', follow);
  const fired = others.find((other) => other?.aborted);
  if (fired !== undefined) {
    controller.abort(fired.reason);
    end();
  }
  return { signal: controller.signal, end };
}

/** Resolves when the signal fires, or at once when it has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
