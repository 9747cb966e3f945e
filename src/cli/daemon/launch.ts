/**
 * A tracker started in the background: a session of its own, its output to the log file, and a channel over which it says
 * how far it is until whoever started it has heard enough and goes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../config/system.ts';
import { CommandError } from '../command-error.ts';
import type { TrackerProgram } from '../surroundings.ts';
import { NODE_FLAGS } from './node-flags.ts';

export interface LaunchOptions {
  readonly tracker: TrackerProgram;
  readonly env: Environment;
  readonly logFile: string;
  /** Waits for its port instead of giving up when it is taken. */
  readonly isSuccessor: boolean;
}

/** What came of waiting for it: a port, word that it only waits for its port, or how it ended. */
export type LaunchState =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ended'; readonly how: string };

export class Launch {
  readonly pid: number;
  readonly #child: ChildProcess;
  #state: LaunchState | undefined;
  #onState: () => void = () => {};

  /** Throws a CommandError when the log file cannot be written, or nothing can be started. */
  constructor({ tracker, env, logFile, isSuccessor }: LaunchOptions) {
    const log = openLog(logFile);
    const words = [...tracker.execArgv, ...NODE_FLAGS, fileURLToPath(tracker.main)];
    this.#child = spawn(tracker.execPath, isSuccessor ? [...words, '--successor'] : words, {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...env },
    });
    closeSync(log);
    this.#child.once('error', (error) => this.#become({ kind: 'ended', how: error.message }));
    this.#child.once('exit', (code, signal) =>
      this.#become({
        kind: 'ended',
        how: signal === null ? `it ended with code ${code}` : `${signal} ended it`,
      }),
    );
    this.#child.on('message', (message) => this.#hear(message));
    if (this.#child.pid === undefined) throw new CommandError(`Cannot start ${tracker.execPath}.`);
    this.pid = this.#child.pid;
  }

  /** Resolves as soon as it listens, has ended, or waits for its port where that is enough; undefined when `signal` fired before. */
  async reached(enough: 'waiting' | 'listening', signal: AbortSignal): Promise<LaunchState | undefined> {
    for (;;) {
      const state = this.#state;
      if (state !== undefined && (state.kind !== 'waiting' || enough === 'waiting')) return state;
      if (signal.aborted) return undefined;
      await new Promise<void>((resolve) => {
        this.#onState = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Ends it at once: it has heard nobody yet. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Lets it live on by itself. */
  release(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  #hear(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('state' in message)) return;
    if (message.state === 'waiting') this.#become({ kind: 'waiting' });
    else if (message.state === 'listening' && 'port' in message)
      this.#become({ kind: 'listening', port: Number(message.port) });
  }

  #become(state: LaunchState): void {
    this.#state = state;
    this.#onState();
  }
}

function openLog(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, 'a', 0o640);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new CommandError(
      `Cannot write the log ${path} (${code}): see to its directory, or name another with --log-file.`,
    );
  }
}
