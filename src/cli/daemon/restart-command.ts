/**
 * `trakx restart`: the new tracker is started first and made ready up to its port; only then is the old one told to
 * stop, which leaves the port at once, and the new one takes it within milliseconds. While the old one saves the new one
 * answers already: two trackers on one store are one. A new one that does not get so far leaves the old one as it was.
 */
import { CommandError, configOf } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import { localUrlOf } from '../tracker-client.ts';
import { type DaemonAround, tell, withinTime } from './daemon-around.ts';
import { Launch } from './launch.ts';
import { logSize } from './log-lines.ts';
import { claimPidFile, type PidRecord, readPidFile, removePidFile, writePidFile } from './pid-file.ts';
import { notStarted, recordOf, startCommand } from './start-command.ts';
import { end } from './stop-command.ts';

export async function restartCommand(around: DaemonAround): Promise<number> {
  const there = readPidFile(around.pidFile);
  if (there.kind !== 'alive') return startCommand(around);
  if (there.record.state === 'starting')
    throw new CommandError(`It is being started just now, by process ${there.record.pid}.`);
  const lock = `${around.pidFile}.restart`;
  takeLock(lock, around);
  try {
    return await succeed(around, there.record);
  } finally {
    removePidFile(lock, process.pid);
  }
}

async function succeed(around: DaemonAround, predecessor: PidRecord): Promise<number> {
  const { surroundings, pidFile, logFile, signal } = around;
  const { env, system, tracker, nowSeconds } = surroundings;
  const config = configOf(env, system);
  const logFrom = logSize(logFile);
  const launch = new Launch({ tracker, env, logFile, isSuccessor: true });
  let stage: 'preparing' | 'succeeding' | 'listening' = 'preparing';
  try {
    const record = recordOf(launch, { logFile, startedAt: nowSeconds() });
    const ready = await withinTime(around, 'starting', (limit) => launch.reached('waiting', limit));
    if (ready === undefined || ready.kind === 'ended') throw notStarted(around, ready, logFrom);
    writePidFile(pidFile, record);
    stage = 'succeeding';
    const isOver = end(around, predecessor, false);
    isOver.catch(() => {}); // told below, once the new one is seen to
    const state = await launch.reached('listening', AbortSignal.timeout(around.timeoutSeconds * 1_000));
    if (state?.kind !== 'listening') throw notStarted(around, state, logFrom);
    const url = localUrlOf({ host: config.host, port: state.port });
    writePidFile(pidFile, { ...record, url });
    launch.release();
    stage = 'listening';
    const { seconds, isSaved } = await isOver;
    tell(
      around,
      {
        state: 'restarted',
        pid: launch.pid,
        url,
        pidFile,
        logFile,
        predecessor: { pid: predecessor.pid, seconds, isSaved },
      },
      `restarted: pid ${launch.pid}, listening at ${url}, log in ${logFile}; process ${predecessor.pid} ended in ${seconds} s${isSaved ? ', everything is saved' : ''}`,
    );
    return ExitCode.done;
  } catch (error) {
    if (stage !== 'listening') launch.kill();
    if (stage === 'succeeding') removePidFile(pidFile, launch.pid);
    signal.throwIfAborted();
    if (stage !== 'preparing' || !(error instanceof CommandError)) throw error;
    throw new CommandError(`${error.message}\nThe old one runs on: process ${predecessor.pid}.`);
  }
}

/** Two restarts at once would start two successors. */
function takeLock(lock: string, { logFile, surroundings }: DaemonAround): void {
  const holder = readPidFile(lock);
  if (holder.kind === 'stale') removePidFile(lock, holder.pid);
  if (!claimPidFile(lock, { url: undefined, logFile, startedAt: surroundings.nowSeconds() }))
    throw new CommandError('Another "trakx restart" is under way.');
}
