/**
 * `trakx stop`: SIGTERM, on which the tracker answers what is under way and saves, then waiting for its end. Never a signal
 * to a process that is not certainly the tracker; SIGKILL only when asked for.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import { NoAnswer, statsOf } from '../tracker-client.ts';
import { type DaemonAround, tell, withinTime } from './daemon-around.ts';
import { lastLines, linesSince, logSize } from './log-lines.ts';
import { type PidRecord, readPidFile, removePidFile } from './pid-file.ts';
import { isSameProcess } from './process-identity.ts';
import { staleSentence } from './start-command.ts';

const LOOK_EVERY_MS = 25;
/** What the tracker logs as its last word when everything is saved. */
const LAST_WORD = 'stopped';

export async function stopCommand(around: DaemonAround, isKill: boolean): Promise<number> {
  const { pidFile, surroundings, configuredUrl: url, signal } = around;
  const there = readPidFile(pidFile);
  if (there.kind === 'none') {
    const stats = url === undefined ? undefined : await statsOf(url, signal);
    if (stats !== undefined && !(stats instanceof NoAnswer))
      throw new CommandError(
        `A tracker answers at ${url}, but not one that "trakx start" started with ${pidFile}: stop it where it was started.`,
      );
    tell(around, { state: 'not running' }, 'not running');
    return ExitCode.done;
  }
  if (there.kind === 'stale') {
    removePidFile(pidFile, there.pid);
    surroundings.errors.write(`${staleSentence(there.pid, pidFile)}\n`);
    tell(around, { state: 'not running', stalePid: there.pid ?? null }, 'not running');
    return ExitCode.done;
  }
  const { record } = there;
  if (record.state === 'starting')
    throw new CommandError(
      `It is being started just now, by process ${record.pid}: try again when that is done.`,
    );
  const ending = await end(around, record, isKill);
  removePidFile(pidFile, record.pid);
  tell(around, { state: 'stopped', pid: record.pid, ...ending }, sentenceOf(record, ending));
  if (!ending.isSaved && !ending.isKilled && ending.lines.length > 0)
    surroundings.errors.write(`Its log did not end as it should:\n${lastLines(ending.lines)}\n`);
  return ExitCode.done;
}

export interface Ending {
  readonly seconds: number;
  /** Its log says that all is saved. False too when LOG_LEVEL keeps that back. */
  readonly isSaved: boolean;
  readonly isKilled: boolean;
  readonly lines: ReturnType<typeof linesSince>;
}

/** Ends the process and resolves when it is gone. Throws a CommandError when it will not go. */
export async function end(around: DaemonAround, record: PidRecord, isKill: boolean): Promise<Ending> {
  const { surroundings, timeoutSeconds, signal } = around;
  const logFrom = logSize(record.logFile);
  const startedMs = surroundings.monotonicMs();
  sendSignal(record, 'SIGTERM');
  let isGone = await withinTime(around, 'stopping', (limit) => gone(record, limit));
  signal.throwIfAborted();
  const isKilled = !isGone && isKill;
  if (isKilled) {
    sendSignal(record, 'SIGKILL');
    isGone = await withinTime(around, 'killing', (limit) => gone(record, limit));
  }
  if (!isGone)
    throw new CommandError(
      `Process ${record.pid} was told to stop and still runs after ${timeoutSeconds} s. Its log (${record.logFile}) says what ` +
        `it waits for:\n${lastLines(linesSince(record.logFile, logFrom), 3)}\n` +
        'Wait with a longer --timeout; --kill ends it at once, and what was not saved is lost.',
    );
  const lines = linesSince(record.logFile, logFrom);
  const seconds = Math.max(0.1, Math.round((surroundings.monotonicMs() - startedMs) / 100) / 10);
  const isSaved = lines.some(({ message }) => message === LAST_WORD || message.startsWith(`${LAST_WORD} `));
  return { seconds, isSaved, isKilled, lines };
}

function sentenceOf({ pid }: PidRecord, { seconds, isSaved, isKilled }: Ending): string {
  if (isKilled)
    return `killed process ${pid} after ${seconds} s: what was heard since the last journal segment is lost`;
  return `stopped process ${pid} in ${seconds} s${isSaved ? ', everything is saved' : ''}`;
}

async function gone({ pid, identity }: PidRecord, limit: AbortSignal): Promise<boolean> {
  while (isSameProcess(pid, identity)) {
    if (limit.aborted) return false;
    await pause(LOOK_EVERY_MS);
  }
  return true;
}

/** Only ever to a process whose identity was looked at just before. */
function sendSignal({ pid, identity }: PidRecord, name: 'SIGTERM' | 'SIGKILL'): void {
  if (!isSameProcess(pid, identity)) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH') return; // gone meanwhile
    if (code === 'EPERM')
      throw new CommandError(`Process ${pid} belongs to another user: stop it as that one.`);
    throw error;
  }
}
