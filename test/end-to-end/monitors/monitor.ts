/**
 * A monitoring program beside the tracker: a foreign server that is told its port, with its own folder, on loopback.
 * What it prints is kept for the message of a test that fails; it ends with the test.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { Cleanup } from '../../builders/tracker-process.ts';
import { waitUntil } from '../wait-until.ts';

export interface Monitor {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** The JSON that it answers to a GET, in the shape that the caller knows; undefined while it answers none. */
  json<Shape>(path: string): Promise<Shape | undefined>;
  /** Waits until `path` gives JSON of which `find` makes a value. */
  found<Shape, T>(what: string, path: string, find: (json: Shape) => T | undefined): Promise<T>;
}

export interface MonitorOptions {
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Neither program tells which port it was given by the system, so one is found that was free a moment ago. */
export async function startMonitor(context: Cleanup, options: MonitorOptions): Promise<Monitor> {
  const { command, args, environment = {} } = options;
  const port = await freePort();
  const child = spawn(command, args(port), {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let hasExited = false;
  void exited.then(() => {
    hasExited = true;
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  context.after(async () => {
    child.kill('SIGTERM');
    await exited;
    process.off('exit', killWithUs);
  });

  const origin = `http://127.0.0.1:${port}`;
  async function json<Shape>(path: string): Promise<Shape | undefined> {
    try {
      const answer = await fetch(`${origin}${path}`);
      return answer.ok ? ((await answer.json()) as Shape) : undefined;
    } catch {
      return undefined; // not listening yet, or not yet with an answer
    }
  }
  async function found<Shape, T>(
    what: string,
    path: string,
    find: (json: Shape) => T | undefined,
  ): Promise<T> {
    let last: Shape | undefined;
    let value: T | undefined;
    await waitUntil(
      what,
      async () => {
        if (hasExited) throw new Error(`${command} has ended:\n${output}`);
        last = await json<Shape>(path);
        value = last === undefined ? undefined : find(last);
        return value !== undefined;
      },
      () => `${JSON.stringify(last)?.slice(0, 5_000)}\n${output}`,
    );
    return value!;
  }
  return { origin, json, found };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port was given');
  return address.port;
}
