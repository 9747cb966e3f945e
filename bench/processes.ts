/**
 * Processes of a benchmark: started on one core, looked at through /proc, and every one of them ended when the
 * benchmark ends, however it ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { availableParallelism } from 'node:os';

export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

export interface ProcessOptions {
  readonly core: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The lowest priority, for what must not disturb what shares its core. */
  readonly isNice?: boolean;
}

export interface Running {
  readonly pid: number;
  /** Standard output and standard error together, the last of it. */
  output(): string;
  /** Hears each line that it writes from now on, until the function that it returns is called. */
  onLine(listener: (line: string) => void): () => void;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code; null for a signal. */
  readonly exited: Promise<number | null>;
  end(): Promise<void>;
}

const OUTPUT_CHARACTERS_MAX = 100_000;
const LISTEN_MS_MAX = 20_000;
const running = new Set<ChildProcess>();

/** Why this machine cannot run the benchmarks; undefined when it can. */
export function missingMachinery(): string | undefined {
  if (process.platform !== 'linux') return 'the benchmarks read /proc: they need Linux';
  if (availableParallelism() < 2)
    return 'the benchmarks need two cores: one for the server, one for its clients';
  return hasProgram('taskset') ? undefined : 'taskset is missing: apt-get install util-linux';
}

export function hasProgram(name: string): boolean {
  try {
    execFileSync('which', [name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Puts this process, all its threads, beside the clients, and makes sure that its children end with it. */
export function settleHere(): void {
  execFileSync('taskset', ['-apc', String(CLIENT_CORE), String(process.pid)], { stdio: 'ignore' });
  process.on('exit', endAllNow);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(1));
  }
}

/** Ends the benchmark after this long, whatever hangs. */
export function endAfter(minutes: number): void {
  setTimeout(() => {
    console.error(`not finished after ${minutes} minutes: ending everything`);
    process.exit(1);
  }, minutes * 60_000).unref();
}

/** Ends what still runs and resolves when it is gone, so that what failed does not disturb what comes after it. */
export async function endAll(): Promise<void> {
  endAllNow();
  while (running.size > 0) await pause(10);
}

function endAllNow(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Whether the kernel can be told to end children with this process, even when it is killed. */
let hasSetpriv: boolean | undefined;
function endsWithUs(): boolean {
  hasSetpriv ??= hasProgram('setpriv');
  return hasSetpriv;
}

export function startProcess(command: string, args: readonly string[], options: ProcessOptions): Running {
  const { core, env = {}, cwd, isNice = false } = options;
  const words = [
    ...(endsWithUs() ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...['taskset', '-c', String(core)],
    ...(isNice ? ['nice', '-n', '19'] : []),
    ...[command, ...args],
  ];
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(words[0]!, words.slice(1), {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  running.add(child);
  let output = '';
  const listeners = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS_MAX);
      const lines = (rest + text).split('\n');
      rest = lines.pop()!.slice(-OUTPUT_CHARACTERS_MAX);
      for (const line of lines) for (const listener of [...listeners]) listener(line);
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      running.delete(child);
      resolve(1);
    });
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return {
    pid: child.pid ?? -1,
    output: () => output,
    onLine(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signal: (name) => void child.kill(name),
    exited,
    async end() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs a program to its end; kills it after `msMax`, which is an error, as is an exit code. */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions & { readonly msMax: number },
): Promise<string> {
  const process = startProcess(command, args, options);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void process.end();
  }, options.msMax);
  const code = await process.exited;
  clearTimeout(timer);
  if (code === 0) return process.output();
  const why = isLate ? `not finished after ${options.msMax / 1000} s` : `exit code ${code}`;
  throw new Error(`${command}: ${why}\n${process.output().slice(-2000)}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves once the port takes connections; rejects with the output when the process ends first. */
export async function untilListening(process: Running, port: number): Promise<void> {
  let hasEnded = false;
  void process.exited.then(() => {
    hasEnded = true;
  });
  const untilMs = performance.now() + LISTEN_MS_MAX;
  while (performance.now() < untilMs) {
    if (hasEnded) throw new Error(`ended at its start:\n${process.output().slice(-2000)}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await pause(20);
  }
  throw new Error(`does not listen after ${LISTEN_MS_MAX / 1000} s:\n${process.output().slice(-2000)}`);
}

/**
 * Resolves with the next line that matches, from now on; rejects when the process ends before it or `msMax` is over.
 * Ask first and cause the line afterwards.
 */
export function nextLine(process: Running, pattern: RegExp, msMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      conclude();
      reject(new Error(`${why} ${pattern}\n${process.output().slice(-2000)}`));
    };
    const timer = setTimeout(() => fail(`no line within ${msMax / 1000} s that matches`), msMax);
    const forget = process.onLine((line) => {
      if (!pattern.test(line)) return;
      conclude();
      resolve(line);
    });
    function conclude(): void {
      clearTimeout(timer);
      forget();
    }
    void process.exited.then(() => fail('ended without a line that matches'));
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

let ticksPerSecond = 0;

/** User and system time of all threads so far; the kernel counts it in hundredths of a second. */
export function cpuSeconds(pid: number): number {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export function rssBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most that the process has had resident at once, since its start. */
export function rssPeakBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
}
