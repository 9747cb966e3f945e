/**
 * How far long work is, on standard error: in a terminal one line that is written over, elsewhere a line now and
 * then, so that a log tells of long work and says nothing of short work.
 */
import type { MonotonicMs } from '../../slices.ts';

export interface ProgressOutput {
  write(text: string): unknown;
  /** A terminal. */
  readonly isTTY?: boolean;
}

const REWRITE_EVERY_MS = 100;
const LINE_EVERY_MS = 10_000;
const ERASE_LINE = '\r\x1b[K';

export class Progress {
  readonly #output: ProgressOutput;
  readonly #monotonicMs: MonotonicMs;
  readonly #isTerminal: boolean;
  readonly #startMs: number;
  #shownMs: number;
  #isLineOpen = false;

  constructor(output: ProgressOutput, monotonicMs: MonotonicMs) {
    this.#output = output;
    this.#monotonicMs = monotonicMs;
    this.#isTerminal = output.isTTY === true;
    this.#startMs = monotonicMs();
    this.#shownMs = this.#startMs;
  }

  /** `text` is called only when it is time for a line. */
  show(text: () => string): void {
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#shownMs < (this.#isTerminal ? REWRITE_EVERY_MS : LINE_EVERY_MS)) return;
    this.#shownMs = nowMs;
    this.#isLineOpen = this.#isTerminal;
    this.#output.write(this.#isTerminal ? `${ERASE_LINE}${text()}` : `${text()}\n`);
  }

  /** Takes the line away, so that what is written next stands on a line of its own. */
  clear(): void {
    if (this.#isLineOpen) this.#output.write(ERASE_LINE);
    this.#isLineOpen = false;
  }
}
