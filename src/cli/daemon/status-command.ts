/**
 * `trakx status`: whether the tracker runs, and how it is. Exit codes as the Linux Standard Base has them for services: 0 it
 * runs, 1 it is dead and left its pid file, 3 it does not run, 4 it runs and does not answer.
 */
import { ExitCode } from '../exit-code.ts';
import { durationText } from '../terminal/quantities.ts';
import { NoAnswer, statsOf, type TrackerStats } from '../tracker-client.ts';
import { type DaemonAround, tell } from './daemon-around.ts';
import { type PidRecord, readPidFile } from './pid-file.ts';

export async function statusCommand(around: DaemonAround): Promise<number> {
  const { pidFile, configuredUrl, signal } = around;
  const there = readPidFile(pidFile);
  if (there.kind === 'stale') {
    const pid = there.pid ?? null;
    tell(
      around,
      { state: 'dead', stalePid: pid, pidFile },
      `not running, but ${pidFile} is there: it ended without "trakx stop"`,
    );
    return ExitCode.failed;
  }
  const record = there.kind === 'alive' ? there.record : undefined;
  if (record?.state === 'starting') {
    tell(around, { state: 'starting', pidFile }, `being started by process ${record.pid}`);
    return ExitCode.unknown;
  }
  const url = record?.url ?? configuredUrl ?? '';
  const stats = await statsOf(url, signal);
  if (stats === undefined || stats instanceof NoAnswer) return tellNoAnswer(around, record, url, stats);
  const document = {
    state: 'running',
    pid: record?.pid ?? null,
    url,
    /** Whether "trakx start" started it. */
    isOurs: record !== undefined,
    pidFile: record === undefined ? null : pidFile,
    logFile: record?.logFile ?? null,
    version: stats.version,
    uptimeSeconds: stats.uptimeSeconds,
    peers: stats.peers,
    swarms: stats.swarms,
    storeState: stats.store.state,
    savedSecondsAgo: stats.store.savedSecondsAgo,
    bytesAtRisk: stats.journal.bytesAtRisk,
    secondsAtRisk: stats.journal.secondsAtRisk,
    warnings: stats.warnings,
  };
  tell(around, document, sentences(record, url, stats));
  return ExitCode.done;
}

function tellNoAnswer(
  around: DaemonAround,
  record: PidRecord | undefined,
  url: string,
  answer: NoAnswer | undefined,
): number {
  if (record === undefined) {
    tell(around, { state: 'not running' }, 'not running');
    return ExitCode.notRunning;
  }
  const why = answer?.why ?? 'what answers there is no tracker';
  tell(
    around,
    { state: 'not answering', pid: record.pid, url, why, logFile: record.logFile },
    `process ${record.pid} runs and does not answer at ${url}: ${why}; its log is ${record.logFile}`,
  );
  return ExitCode.unknown;
}

function sentences(record: PidRecord | undefined, url: string, stats: TrackerStats): string {
  const { store, journal } = stats;
  const saved = store.savedSecondsAgo === null ? 'none yet' : `${durationText(store.savedSecondsAgo)} ago`;
  const risk =
    journal.bytesAtRisk === 0
      ? 'nothing'
      : `what was heard in the last ${durationText(journal.secondsAtRisk)}`;
  const lines = [
    `running   ${record === undefined ? 'not started by "trakx start"' : `pid ${record.pid}`}, version ${stats.version}, for ${durationText(stats.uptimeSeconds)}`,
    `address   ${url}`,
    `peers     ${stats.peers} in ${stats.swarms} swarms`,
    `store     ${store.state}, last snapshot ${saved}; a crash now would lose ${risk}`,
    ...(record === undefined ? [] : [`log       ${record.logFile}`]),
    ...stats.warnings.map((warning) => `warning   ${warning}`),
  ];
  return lines.join('\n');
}
