/** What start, stop, restart and status work with. */
import { timeLimit } from '../../time-limit.ts';
import type { AtWork } from '../command-error.ts';
import type { Surroundings } from '../surroundings.ts';
import type { DaemonFiles } from './daemon-files.ts';

export interface DaemonAround extends AtWork, DaemonFiles {
  readonly surroundings: Surroundings;
  /** Where a tracker of this environment would answer; undefined when the configuration is wrong. */
  readonly configuredUrl: string | undefined;
  /** How long to wait for the start, or the end, of a tracker. */
  readonly timeoutSeconds: number;
  readonly isJson: boolean;
}

/** Writes what a command found: one JSON object, or a sentence. */
export function tell({ surroundings, isJson }: DaemonAround, document: object, sentence: string): void {
  surroundings.out.write(isJson ? `${JSON.stringify(document, null, 2)}\n` : `${sentence}\n`);
}

const REPORT_EVERY_MS = 200;

/** `work` with a signal that fires when the time is up or at Ctrl-C, and a line that counts the seconds. */
export async function withinTime<T>(
  { surroundings, progress, signal, timeoutSeconds }: DaemonAround,
  what: string,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const startedMs = surroundings.monotonicMs();
  const seconds = (): string => ((surroundings.monotonicMs() - startedMs) / 1_000).toFixed(0);
  const timer = setInterval(
    () => progress.show(() => `${what}: ${seconds()} s of at most ${timeoutSeconds} s`),
    REPORT_EVERY_MS,
  );
  const limit = timeLimit(timeoutSeconds * 1_000, signal);
  try {
    return await work(limit.signal);
  } finally {
    limit.end();
    clearInterval(timer);
    progress.clear();
  }
}
