/**
 * A tracker as it is in service, for the benchmarks of what it does beside answering: its store is a real S3 server,
 * it is full of peers, announces come at a constant rate, and it can be told to save, to wait, and how late its event
 * loop was.
 */
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../src/cli/daemon/node-flags.ts';
import { LoadRecord, type LoadResult } from '../src/cli/stress/stress-record.ts';
import { sendAtRate } from '../src/cli/stress/stress-sender.ts';
import { MAIN, program, type Server } from './contenders.ts';
import type { Day } from './day.ts';
import { ask, fill, getJson } from './fill.ts';
import {
  CLIENT_CORE,
  freePort,
  nextLine,
  pause,
  type Running,
  SERVER_CORE,
  startProcess,
  untilListening,
} from './processes.ts';

/** A cron expression that no benchmark lives to see. */
export const NEVER = '0 0 0 1 1 *';
/** A third core for the store, if there is one: else it shares the clients', at the lowest priority. */
export const S3_CORE = availableParallelism() > 2 ? 2 : CLIENT_CORE;
export const S3_SHARES_CLIENT_CORE = S3_CORE === CLIENT_CORE;
export const S3_NOTE = S3_SHARES_CLIENT_CORE
  ? 'The S3 server (npm’s s3rver) shares the client’s core at the lowest priority, so a save takes longer than it would beside a store of its own.'
  : 'The S3 server (npm’s s3rver) has a core of its own.';

const FILL_MS_MAX = 20 * 60_000;
const POLL_MS = 5;
const READY_MS_MAX = 120_000;
const SAVE_MS_MAX = 5 * 60_000;
const LOOK_MS_MAX = 10_000;
const PROFILE_MS_MAX = 60_000;
const S3_START_MS_MAX = 30_000;
/** A router keeps some connections and sends everybody's announces over them. */
const CONNECTIONS = 100;
const GRACE_MS = 10_000;

const ours = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface S3 extends Running {
  /** Variables that lead a tracker to a part of the store that no other has. */
  environment(prefix: string): Record<string, string>;
  /** Requests since the last look, and when the first of them began, in milliseconds since the epoch. */
  look(): Promise<{ readonly requests: number; readonly firstMs: number | null }>;
}

export async function startS3(scratch: string): Promise<S3> {
  const process_ = startProcess(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), ours('s3-server.ts')],
    { core: S3_CORE, isNice: S3_SHARES_CLIENT_CORE, env: { TMPDIR: scratch } },
  );
  const store: Record<string, string> = JSON.parse(await nextLine(process_, /^\{.*\}$/, S3_START_MS_MAX));
  return {
    ...process_,
    environment: (prefix) => ({ ...store, STORE_URL: `${store.STORE_URL}${prefix}/` }),
    async look() {
      const line = nextLine(process_, /^\{.*\}$/, LOOK_MS_MAX);
      process_.signal('SIGUSR2');
      return JSON.parse(await line);
    },
  };
}

export interface ServiceOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** Of servers/, loaded before it; `loop-delay.mjs` prepares `takeLoopDelays`. */
  readonly preload?: string;
}

/** Starts it; it may not listen yet. */
export async function launch({ environment, preload }: ServiceOptions): Promise<Server> {
  const port = await freePort();
  const flags =
    preload === undefined ? [] : ['--import', new URL(`servers/${preload}`, import.meta.url).href];
  const running = startProcess(process.execPath, [...NODE_FLAGS, ...flags, ...program(MAIN)], {
    core: SERVER_CORE,
    env: { PORT: String(port), HOST: '127.0.0.1', TRUST_PROXY: '1', ...environment },
  });
  return { ...running, port };
}

export async function startService(options: ServiceOptions): Promise<Server> {
  const server = await launch(options);
  await untilListening(server, server.port);
  return server;
}

/** Announces everybody of the day, and looks whether all are there. */
export async function fillWith(
  server: Server,
  day: Day,
  onProgress: (text: string) => void,
  msMax = FILL_MS_MAX,
): Promise<void> {
  await fill({
    port: server.port,
    requests: day.peers,
    request: (n) => day.announce(n, { numwant: 0, event: 'started' }),
    msMax,
    onProgress: (answered) => {
      if (answered % 500_000 === 0) onProgress(`${answered} of ${day.peers} peers`);
    },
  });
  const { peers, swarms, seeders } = await getJson(server.port, '/stats.json');
  if (peers !== day.peers || swarms !== day.swarms || seeders !== day.seeders) {
    throw new Error(`the tracker holds ${peers} peers (${seeders} seeders) in ${swarms} swarms`);
  }
}

export interface LoadOptions {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** Of the load's beginning, what is not part of the result. */
  readonly leadSeconds?: number;
  readonly nextRequest: () => string;
  readonly record?: LoadRecord;
}

/** Announces at a constant rate, whatever the server does. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { port, perSecond, seconds, leadSeconds = 0, nextRequest, record = new LoadRecord() } = options;
  const sent = await sendAtRate({
    connect: () => connect({ port, host: '127.0.0.1', noDelay: true }),
    connections: CONNECTIONS,
    requestsPerSecond: perSecond,
    durationMs: (leadSeconds + seconds) * 1000,
    graceMs: GRACE_MS,
    nextRequest,
    onOutcome: (outcome, latencyMs, atMs, unsentMs) => {
      const fromLeadMs = atMs - leadSeconds * 1000;
      if (fromLeadMs >= 0) record.add(outcome, latencyMs, fromLeadMs, unsentMs);
    },
    monotonicMs: () => performance.now(),
  });
  return record.result({
    requests: sent.requests - Math.round(perSecond * leadSeconds),
    ms: sent.ms - leadSeconds * 1000,
  });
}

/** Percentiles of how late the event loop was, in milliseconds. */
export interface LoopDelays {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Since the last time that it was asked, or the start; for a service that watches its loop. */
export async function takeLoopDelays(server: Server): Promise<LoopDelays> {
  const line = nextLine(server, /^LOOP /, LOOK_MS_MAX);
  server.signal('SIGUSR2');
  return JSON.parse((await line).slice('LOOP '.length));
}

/** Of a server with `profile.mjs`: starts the profiler, or stops it and gives the path of what it saw. */
export async function switchProfiler(server: Server): Promise<string> {
  const line = nextLine(server, /^PROFILE /, PROFILE_MS_MAX);
  server.signal('SIGUSR2');
  return (await line).slice('PROFILE '.length);
}

export interface Saved {
  readonly bytes: number;
  readonly peers: number;
  /** From the signal to the line in the log. */
  readonly ms: number;
}

/** Resolves once the restore has settled. */
export async function untilReady(port: number): Promise<void> {
  const request = 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
  const endMs = Date.now() + READY_MS_MAX;
  while (Date.now() < endMs) {
    const { status } = await ask(port, request);
    if (status === 200) return;
    await pause(POLL_MS);
  }
  throw new Error(`not ready after ${READY_MS_MAX / 1_000} s`);
}

/** Tells it to save, and waits until the log says that the snapshot is in the store. */
export async function saveNow(server: Server): Promise<Saved> {
  // Until the restore has settled nothing is saved.
  await untilReady(server.port);
  const line = nextLine(server, /"message":"snapshot saved/, SAVE_MS_MAX);
  const startMs = performance.now();
  server.signal('SIGUSR1');
  const { bytes, peers } = JSON.parse(await line);
  return { bytes, peers, ms: performance.now() - startMs };
}
