/**
 * What a restart costs: peers are saved to an S3 server on loopback, the process is killed, and a new one is started
 * on the same store. Told are the times to its first open port, from its first request to the store until it is ready, and
 * how late its event loop was meanwhile; beside it how soon a tracker with a directory as its store listens.
 */
import { join } from 'node:path';
import { barChart, heading } from '../src/cli/stress/line-chart.ts';
import { median } from './announce-cost.ts';
import { Day, PUBLISHED } from './day.ts';
import { getJson } from './fill.ts';
import { nextLine, rssBytes } from './processes.ts';
import { reached, type Table } from './results.ts';
import {
  fillWith,
  type LoopDelays,
  launch,
  NEVER,
  type S3,
  S3_NOTE,
  saveNow,
  startS3,
  startService,
  takeLoopDelays,
  untilReady,
} from './service.ts';

export interface RestoreOptions {
  readonly scratch: string;
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly onProgress: (text: string) => void;
}

export interface Restart {
  /** From the process's start, Node's own included. */
  readonly listeningMs: number;
  /** From the start of the process to its first request to the store. */
  readonly firstRequestMs: number;
  /** From the first request to the store until the restore has settled. */
  readonly readyMs: number;
  readonly requests: number;
  readonly delays: LoopDelays;
  readonly rssBytes: number;
}

export interface RestoreRow {
  readonly peers: number;
  readonly swarms: number;
  readonly snapshotBytes: number;
  readonly saveMs: number;
  readonly restarts: readonly Restart[];
}

export interface RestoreResult {
  readonly rows: readonly RestoreRow[];
  /** Of each start with an empty directory as the store: from the first line of main to the open port. */
  readonly mainToListeningMs: readonly number[];
}

const LISTEN_MS_MAX = 30_000;
const RESTORE_MS_MAX = 2 * 60_000;
const READY_MS_TARGET = 1_000;
const MAIN_TO_LISTENING_MS_TARGET = 300;

export async function restores(options: RestoreOptions): Promise<RestoreResult> {
  const { scratch, sizes, rounds, onProgress } = options;
  const s3 = await startS3(scratch);
  const rows: RestoreRow[] = [];
  for (const peers of sizes) {
    const day = new Day(peers / PUBLISHED.peers);
    // What is restored is what was saved before the kill, and every restart restores the same.
    const environment = { ...s3.environment(`restore-${peers}`), SNAPSHOT_CRON: NEVER };
    const first = await startService({ environment });
    onProgress(`restore: filling ${day.peers} peers`);
    await fillWith(first, day, onProgress);
    const saved = await saveNow(first);
    await first.end();
    const restarts: Restart[] = [];
    for (let round = 0; round < rounds; round++) {
      const restart = await restartOnce(environment, s3, day.peers);
      restarts.push(restart);
      onProgress(
        `restore: ${day.peers} peers, listening after ${restart.listeningMs.toFixed(0)} ms, ready ${restart.readyMs.toFixed(0)} ms after the first request`,
      );
    }
    const { bytes: snapshotBytes, ms: saveMs } = saved;
    rows.push({ peers: day.peers, swarms: day.swarms, snapshotBytes, saveMs, restarts });
  }
  await s3.end();
  const mainToListeningMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    mainToListeningMs.push(await mainToListening(join(scratch, `empty-${round}`)));
  }
  return { rows, mainToListeningMs };
}

async function mainToListening(folder: string): Promise<number> {
  const server = await launch({ environment: { STORE_URL: `file:${folder}` }, preload: 'main-start.mjs' });
  try {
    const listening = nextLine(server, /"message":"listening"/, LISTEN_MS_MAX);
    const startMs = Number((await nextLine(server, /^MAIN /, LISTEN_MS_MAX)).slice('MAIN '.length));
    return Date.parse(JSON.parse(await listening).timestamp) - startMs;
  } finally {
    await server.end();
  }
}

async function restartOnce(
  environment: Readonly<Record<string, string>>,
  s3: S3,
  peers: number,
): Promise<Restart> {
  await s3.look();
  const startMs = Date.now();
  const server = await launch({ environment, preload: 'loop-delay.mjs' });
  try {
    const settled = nextLine(server, /"message":"The restore has settled/, RESTORE_MS_MAX);
    await nextLine(server, /"message":"listening"/, LISTEN_MS_MAX);
    const listeningMs = Date.now() - startMs;
    // Looked at from here on: while libraries load nobody waits yet.
    const beforeListening = takeLoopDelays(server);
    // By its own clock: to ask it again and again would cost it a tenth of the time.
    const readyAtMs = Date.parse(JSON.parse(await settled).timestamp);
    await untilReady(server.port);
    await beforeListening;
    const delays = await takeLoopDelays(server);
    const { firstMs, requests } = await s3.look();
    if (firstMs === null) throw new Error('the store was never asked');
    const { peers: restored } = await getJson(server.port, '/stats.json');
    if (restored !== peers) throw new Error(`${restored} of ${peers} peers were restored`);
    return {
      listeningMs,
      firstRequestMs: firstMs - startMs,
      readyMs: readyAtMs - firstMs,
      requests,
      delays,
      rssBytes: rssBytes(server.pid),
    };
  } finally {
    await server.end();
  }
}

export function restoreTable({ rows, mainToListeningMs }: RestoreResult): Table {
  const rounds = rows[0]?.restarts.length ?? 0;
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const toListeningMs = median(mainToListeningMs);
  return {
    title: `Restart on a snapshot in S3, median of ${rounds} restarts`,
    header: [
      'peers',
      'swarms',
      'snapshot, MiB',
      'saved in',
      'start to listening',
      'start to first store request',
      'first store request to ready',
      'loop p50',
      'loop p99',
      'loop p99.9',
      'loop longest',
      'process, MiB',
    ],
    rows: rows.map(({ peers, swarms, snapshotBytes, saveMs, restarts }) => {
      const of = (value: (restart: Restart) => number): number => median(restarts.map(value));
      return [
        String(peers),
        String(swarms),
        (snapshotBytes / 2 ** 20).toFixed(1),
        ms(saveMs),
        ms(of(({ listeningMs }) => listeningMs)),
        ms(of(({ firstRequestMs }) => firstRequestMs)),
        ms(of(({ readyMs }) => readyMs)),
        ...(['p50', 'p99', 'p999', 'max'] as const).map(
          (name) => `${of(({ delays }) => delays[name]).toFixed(1)} ms`,
        ),
        (of((restart) => restart.rssBytes) / 2 ** 20).toFixed(0),
      ];
    }),
    notes: [
      `Start is when the process was started: Node’s own start and the loading of all libraries are in it. To reach: ${READY_MS_TARGET} ms from the first store request to ready with a million peers${verdict(rows)}. Ready is the line in its log; how late the event loop was is told from listening to ready.`,
      `With an empty directory as its store it listens ${ms(toListeningMs)} after its first line (to reach: ${MAIN_TO_LISTENING_MS_TARGET} ms; ${reached(toListeningMs <= MAIN_TO_LISTENING_MS_TARGET)}).`,
      S3_NOTE,
    ],
  };
}

/** Only a row of about a million can say. */
function verdict(rows: readonly RestoreRow[]): string {
  const million = rows.find(({ peers }) => Math.round(peers / 100_000) === 10);
  if (million === undefined) return '';
  return ` (${reached(median(million.restarts.map(({ readyMs }) => readyMs)) <= READY_MS_TARGET)})`;
}

export function restorePlots({ rows }: RestoreResult): string[] {
  const bars = rows.map(({ peers, restarts }): [string, number] => [
    `${peers} peers`,
    median(restarts.map(({ readyMs }) => readyMs)),
  ]);
  return [heading('Restart'), barChart('From the first store request to ready', bars, 'ms')];
}
