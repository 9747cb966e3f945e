/**
 * `trakx start`: the tracker in the background. Done when it listens; when it does not, its log's last lines say why, and
 * nothing of it is left.
 */
import { CommandError, configOf } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import { localUrlOf } from '../tracker-client.ts';
import { type DaemonAround, tell, withinTime } from './daemon-around.ts';
import { Launch, type LaunchState } from './launch.ts';
import { lastLines, linesSince, logSize } from './log-lines.ts';
import { claimPidFile, type PidRecord, readPidFile, removePidFile, writePidFile } from './pid-file.ts';
import { identityOf } from './process-identity.ts';

export async function startCommand(around: DaemonAround): Promise<number> {
  const { surroundings, pidFile, logFile, signal } = around;
  const { errors, env, system, tracker, nowSeconds } = surroundings;
  const config = configOf(env, system);
  const there = readPidFile(pidFile);
  if (there.kind === 'alive') throw runsAlready(there.record);
  if (there.kind === 'stale') {
    errors.write(`${staleSentence(there.pid, pidFile)}\n`);
    removePidFile(pidFile, there.pid);
  }
  const startedAt = nowSeconds();
  if (!claimPidFile(pidFile, { url: undefined, logFile, startedAt }))
    throw new CommandError('Another "trakx start" was faster; "trakx status" tells.');
  const logFrom = logSize(logFile);
  let launch: Launch | undefined;
  try {
    const launched = new Launch({ tracker, env, logFile, isSuccessor: false });
    launch = launched;
    const record = recordOf(launched, { logFile, startedAt });
    writePidFile(pidFile, record);
    const state = await withinTime(around, 'starting', (limit) => launched.reached('listening', limit));
    if (state?.kind !== 'listening') throw notStarted(around, state, logFrom);
    const url = localUrlOf({ host: config.host, port: state.port });
    writePidFile(pidFile, { ...record, url });
    launched.release();
    const document = { state: 'started', pid: launched.pid, url, pidFile, logFile };
    tell(around, document, `started: pid ${launched.pid}, listening at ${url}, log in ${logFile}`);
    return ExitCode.done;
  } catch (error) {
    launch?.kill();
    removePidFile(pidFile, launch?.pid ?? process.pid);
    signal.throwIfAborted();
    throw error;
  }
}

export function recordOf(
  { pid }: Launch,
  { logFile, startedAt }: Pick<PidRecord, 'logFile' | 'startedAt'>,
): PidRecord {
  // A child that has ended already has none; nothing will be taken for it.
  return { pid, identity: identityOf(pid) ?? 'ended', state: 'running', url: undefined, logFile, startedAt };
}

export function staleSentence(pid: number | undefined, pidFile: string): string {
  const what =
    pid === undefined ? 'names no process' : `names process ${pid}, which is not the tracker (any more)`;
  return `The pid file ${pidFile} is a left-over: it ${what}. Removed.`;
}

export function notStarted(
  { logFile, timeoutSeconds }: DaemonAround,
  state: LaunchState | undefined,
  logFrom: number,
): CommandError {
  const how =
    state?.kind === 'ended' ? state.how : `it did not listen within ${timeoutSeconds} s and was ended`;
  const lines = linesSince(logFile, logFrom);
  const said =
    lines.length === 0 ? 'Its log says nothing.' : `The end of its log (${logFile}):\n${lastLines(lines)}`;
  return new CommandError(`The tracker did not start: ${how}. ${said}`);
}

function runsAlready({ pid, url, state }: PidRecord): CommandError {
  return new CommandError(
    state === 'starting'
      ? `A tracker is being started just now, by process ${pid}.`
      : `A tracker runs already: pid ${pid}${url === undefined ? '' : `, ${url}`}. "trakx restart" starts it anew; for a second one name another --pid-file.`,
  );
}
