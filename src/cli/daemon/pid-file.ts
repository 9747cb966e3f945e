/**
 * The pid file of a tracker in the background. Its first line is the process's number, for every tool that reads such
 * files; the second is what `trakx` needs besides, as JSON:
 *
 *   4711
 *   {"identity":"linux 0b1f… 5120077","state":"running","url":"http://127.0.0.1:1337","logFile":"/var/log/trakx.log","startedAt":1763733600}
 *
 * It is made by whoever starts the tracker, first with the starter's own number, so that two starts at once are one. A file
 * whose process is gone, or whose number is another program's by now, is stale.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandError } from '../command-error.ts';
import { identityOf, isSameProcess } from './process-identity.ts';

export interface PidRecord {
  readonly pid: number;
  /** Of that process (process-identity.ts). */
  readonly identity: string;
  /** `starting`: the number is the starter's. */
  readonly state: 'starting' | 'running';
  /** Where this machine reaches the tracker. */
  readonly url: string | undefined;
  readonly logFile: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
}

export type PidFileState =
  | { readonly kind: 'none' }
  | { readonly kind: 'alive'; readonly record: PidRecord }
  /** `pid` is not a process of ours any more; undefined when the file says nothing that can be read. */
  | { readonly kind: 'stale'; readonly pid: number | undefined; readonly record: PidRecord | undefined };

/** Throws a CommandError when the file is there and may not be read. */
export function readPidFile(path: string): PidFileState {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'none' };
    throw fileError('read', path, error);
  }
  const record = parseRecord(text);
  const pid = record?.pid ?? (Number.parseInt(text, 10) || undefined);
  const isOurs = record !== undefined && isSameProcess(record.pid, record.identity);
  return isOurs ? { kind: 'alive', record } : { kind: 'stale', pid, record };
}

/** Makes the file for a tracker that is about to be started. False: somebody else was first. */
export function claimPidFile(path: string, record: Omit<PidRecord, 'pid' | 'identity' | 'state'>): boolean {
  const identity = identityOf(process.pid);
  if (identity === undefined)
    throw new CommandError(
      'This system does not tell when a process was started, so a pid file would be guesswork: use "trakx run".',
    );
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, textOf({ ...record, pid: process.pid, identity, state: 'starting' }), {
      flag: 'wx',
      mode: 0o644,
    });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw fileError('write', path, error);
  }
}

/** Replaces what the file says, at once: nobody reads half of it. */
export function writePidFile(path: string, record: PidRecord): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, textOf(record), { mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError('write', path, error);
  }
}

/** Takes the file away if it still names this process; another start may have made it anew. */
export function removePidFile(path: string, pid: number | undefined): void {
  try {
    const text = readFileSync(path, 'utf8');
    if ((Number.parseInt(text, 10) || undefined) === pid) rmSync(path, { force: true });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw fileError('remove', path, error);
  }
}

function textOf({ pid, ...rest }: PidRecord): string {
  return `${pid}\n${JSON.stringify(rest)}\n`;
}

function parseRecord(text: string): PidRecord | undefined {
  const [first = '', second = ''] = text.split('\n');
  if (!/^[1-9]\d{0,9}$/.test(first)) return undefined;
  try {
    const { identity, state, url, logFile, startedAt } = JSON.parse(second);
    if (typeof identity !== 'string' || typeof logFile !== 'string' || typeof startedAt !== 'number')
      return undefined;
    return {
      pid: Number(first),
      identity,
      state: state === 'starting' ? 'starting' : 'running',
      url: typeof url === 'string' ? url : undefined,
      logFile,
      startedAt,
    };
  } catch {
    return undefined; // not ours, or cut short
  }
}

function fileError(verb: string, path: string, error: unknown): CommandError {
  return new CommandError(
    `Cannot ${verb} the pid file ${path} (${codeOf(error)}): see to its directory, or name another with --pid-file.`,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
