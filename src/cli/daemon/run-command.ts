/**
 * `trakx run`: the tracker as a child in the foreground, with the flags that every other start uses. Signals are passed
 * on, and the child's end is this command's end. The child gets a process group of its own, because a terminal sends
 * Ctrl-C to the whole group: it would arrive twice, and a second SIGINT means "now".
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ExitCode } from '../exit-code.ts';
import type { TrackerProgram } from '../surroundings.ts';
import { NODE_FLAGS } from './node-flags.ts';

const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** Resolves with the exit code once the tracker has ended. `self`: the process whose signals are passed on. */
export function runCommand(
  { execPath, execArgv, main }: TrackerProgram,
  self: Pick<NodeJS.Process, 'on' | 'off'>,
): Promise<number> {
  const child = spawn(execPath, [...execArgv, ...NODE_FLAGS, fileURLToPath(main)], {
    stdio: 'inherit',
    detached: process.platform !== 'win32',
  });
  const passOn = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of PASSED_ON) self.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const passed of PASSED_ON) self.off(passed, passOn);
      resolve(code ?? ExitCode.signalled + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
