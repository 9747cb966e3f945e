/**
 * The tracker as its operator runs it: a process of its own with an environment and a log. Started on a port the system
 * gives, and handed to the test once it says that it listens. The environment is made from nothing, so that no DYNO or
 * AWS_* of the machine reaches the tracker.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { NODE_FLAGS } from '../../src/cli/daemon/node-flags.ts';
import { program } from './program.ts';

/** One line of the log. What is no JSON (a crash's trace, say) stands in `message` alone. */
export interface LogLine {
  readonly level?: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface TrackerProcess {
  readonly pid: number;
  readonly port: number;
  /** `http://127.0.0.1:port`, as seen from where it runs. */
  readonly origin: string;
  /** What it has logged so far, standard output and standard error together. */
  readonly log: readonly LogLine[];
  readonly exited: Promise<Exit>;
  /** The first line after the first `from` lines that begins so; rejects when the process ends without it. */
  logged(messageStart: string, from?: number): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Reads its log no more: what it writes from then on fails. */
  closeLog(): void;
  /** SIGUSR1, and waits until the log says that the snapshot is in the store. */
  save(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<Exit>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<Exit>;
}

export interface TrackerOptions {
  /** Added to PORT=0, HOST=:: and a fresh folder for the store. */
  readonly environment?: Readonly<Record<string, string>>;
  /** For Node, before the program: `--expose-gc`, `--import=file:///…`. */
  readonly nodeOptions?: readonly string[];
  /** Hands the tracker over before it listens, with no port. */
  readonly isStarting?: boolean;
  /** Starts the program elsewhere, in a network namespace say. */
  readonly spawn?: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
}

/** What cleans up when a test ends, well or not: the test's context. */
export type Cleanup = Pick<TestContext, 'after'>;

/** Starts a tracker and waits until it listens. Rejects with its log when it ends before that. */
export async function startTracker(context: Cleanup, options: TrackerOptions = {}): Promise<TrackerProcess> {
  const { environment = {}, nodeOptions = [], isStarting = false, spawn: start = spawn } = options;
  const child = start(process.execPath, [...NODE_FLAGS, ...nodeOptions, ...program('main')], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: '0',
      STORE_URL: environment.STORE_URL ?? `file:${temporaryFolder(context)}`,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  context.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const log: LogLine[] = [];
  const watchers = new Set<() => void>();
  const onLine = (line: string) => {
    log.push(parseLine(line));
    for (const look of watchers) look();
  };
  eachLine(child.stdout, onLine);
  eachLine(child.stderr, onLine);
  const exited = new Promise<Exit>((settle, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('exit', killWithUs);
      settle({ code, signal });
    });
  });

  function logged(messageStart: string, from = 0): Promise<LogLine> {
    return new Promise((settle, reject) => {
      let next = from;
      const look = () => {
        for (; next < log.length; next++) {
          const line = log[next]!;
          if (line.message.startsWith(messageStart)) {
            watchers.delete(look);
            settle(line);
            return;
          }
        }
      };
      watchers.add(look);
      look();
      exited.then((exit) => {
        watchers.delete(look);
        const all = log.map((line) => JSON.stringify(line)).join('\n');
        reject(new Error(`ended (${exit.code ?? exit.signal}) without logging "${messageStart}…":\n${all}`));
      }, reject);
    });
  }

  const { port = 0 } = await logged(isStarting ? 'starting' : 'listening');
  if (typeof port !== 'number') throw new Error('the line "listening" has no port');

  return {
    pid: child.pid!,
    port,
    origin: `http://127.0.0.1:${port}`,
    log,
    exited,
    logged,
    signal: (name) => void child.kill(name),
    closeLog() {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    async save() {
      const before = log.length;
      child.kill('SIGUSR1');
      await logged('snapshot saved', before);
    },
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
    kill() {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

/** A new empty folder below the system's folder for such; removed when the test ends. */
export function temporaryFolder(context: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'trakx-test-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function parseLine(text: string): LogLine {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null && 'message' in line) return line as LogLine;
  } catch {
    // no JSON: the line itself is the message
  }
  return { message: text };
}

function eachLine(stream: NodeJS.ReadableStream | null, use: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) use(line);
  });
  stream?.on('end', () => {
    if (rest !== '') use(rest);
  });
}
