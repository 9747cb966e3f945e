/**
 * Where the pid file and the log of a tracker in the background are, unless the command says otherwise: for root where
 * services have them, for anybody else below XDG_STATE_HOME. Not in XDG_RUNTIME_DIR, which is emptied when its user
 * logs out, while the tracker goes on; and not in the working directory, so that `trakx status` works from anywhere.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment } from '../../config/system.ts';

export interface DaemonFiles {
  readonly pidFile: string;
  readonly logFile: string;
}

export interface DaemonFileOptions {
  readonly pidFile?: string;
  readonly logFile?: string;
}

export function daemonFiles(env: Environment, options: DaemonFileOptions, isRoot: boolean): DaemonFiles {
  const state = join(stateHome(env), 'trakx');
  return {
    pidFile: resolve(options.pidFile ?? (isRoot ? '/var/run/trakx.pid' : join(state, 'trakx.pid'))),
    logFile: resolve(options.logFile ?? (isRoot ? '/var/log/trakx.log' : join(state, 'trakx.log'))),
  };
}

/** XDG Base Directory Specification: what is not absolute is not to be used. */
function stateHome(env: Environment): string {
  const named = env.XDG_STATE_HOME;
  return named?.startsWith('/') ? named : join(env.HOME || homedir(), '.local', 'state');
}
