/**
 * `trakx stress`: a constant-rate load against a tracker, a line each second while it runs, and what came of it.
 * The pieces: whom it may hit (stress-target), what it asks (stress-load), when it sends (stress-sender), what it
 * counts (stress-record), how it tells (stress-report).
 */
import { writeFileSync } from 'node:fs';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../surroundings.ts';
import { announceLoad, pathLoad } from './stress-load.ts';
import { LoadRecord } from './stress-record.ts';
import { plotPage, summary } from './stress-report.ts';
import { sendAtRate } from './stress-sender.ts';
import { stressTarget } from './stress-target.ts';

export interface StressOptions {
  readonly url: string;
  readonly isOwned: boolean;
  readonly requestsPerSecond: number;
  readonly durationMs: number;
  readonly connections: number;
  /** One path for all requests; announces when undefined. */
  readonly path: string | undefined;
  readonly swarms: number;
  readonly peers: number;
  readonly numwant: number;
  readonly isForwarded: boolean;
  readonly isFresh: boolean;
  readonly isJson: boolean;
  /** The file for the page with plots. */
  readonly plot: string | undefined;
}

export interface StressSurroundings {
  readonly out: Output;
  readonly errors: Output;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  /** Ends it early; what was measured so far is told. */
  readonly signal: AbortSignal;
}

const GRACE_MS = 5_000;
/** Whether another second is over. */
const LOOK_EVERY_MS = 200;

/** Exit code `failed` when nothing was answered, or when the target may not be one. */
export async function stressCommand(options: StressOptions, around: StressSurroundings): Promise<number> {
  const { out, errors, monotonicMs, random, signal } = around;
  const target = await stressTarget(options.url, options.isOwned);
  if (typeof target === 'string') {
    errors.write(`${target}\n`);
    return ExitCode.failed;
  }
  const path = options.path ?? target.path;
  const request = { ...options, host: target.host, random };
  const record = new LoadRecord();
  const title = `${options.requestsPerSecond} requests a second for ${path ?? 'announces'} at ${target.origin}`;
  errors.write(`${title}, ${options.durationMs / 1000} s\n`);
  let told = -1;
  const progress = setInterval(() => {
    const last = record.lastSecond;
    if (last === undefined || last.second === told) return;
    told = last.second;
    errors.write(
      `${String(last.second + 1).padStart(5)} s  ${last.answered} answered, ${last.refused} refused, ` +
        `${last.failed} failed  p50 ${last.p50Ms.toFixed(2)} ms  p99 ${last.p99Ms.toFixed(2)} ms\n`,
    );
  }, LOOK_EVERY_MS);
  const sent = await sendAtRate({
    ...options,
    connect: target.connect,
    graceMs: GRACE_MS,
    nextRequest: path === undefined ? announceLoad(request) : pathLoad(path, request),
    onOutcome: (...outcome) => record.add(...outcome),
    monotonicMs,
    signal,
  }).finally(() => clearInterval(progress));
  const result = record.result(sent);
  out.write(options.isJson ? `${JSON.stringify({ load: title, ...result }, null, 2)}\n` : summary(result));
  if (options.plot !== undefined) writeFileSync(options.plot, plotPage(title, result));
  return result.answered + result.refused > 0 ? ExitCode.done : ExitCode.failed;
}
