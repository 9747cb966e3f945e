#!/usr/bin/env node
/**
 * The `trakx` command: here alone stands what the world really is, and the words are parsed. The commands themselves
 * are put together in program.ts, one room each. It never imports the tracker; it starts it as a process of its own.
 */
import { randomBytes } from 'node:crypto';
import { CommanderError } from 'commander';
import { thisMachine } from '../config/system.ts';
import { ExitCode } from './exit-code.ts';
import { trakxProgram } from './program.ts';

// `trakx config | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.done);
});

/** From the sources, through a loader, or as it was built. */
const main = import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js';

const program = trakxProgram({
  env: process.env,
  system: thisMachine(),
  input: process.stdin,
  out: process.stdout,
  errors: process.stderr,
  nowSeconds: () => Math.floor(Date.now() / 1000),
  monotonicMs: () => performance.now(),
  random: () => (Math.random() * 0x1_0000_0000) >>> 0,
  randomBytes,
  setExitCode: (code) => {
    process.exitCode = code;
  },
  onInterrupt: (listener) => {
    process.once('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
  tracker: {
    execPath: process.execPath,
    execArgv: process.execArgv,
    main: new URL(main, import.meta.url),
  },
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help is thrown too, with code 0; all else is wrong use.
  process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.wrongUse;
}
