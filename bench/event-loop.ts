/**
 * How late the event loop is while the tracker purges and saves, beside the same load without: two processes with the
 * same peers, of which one saves to an S3 server and purges as in service and the other does neither. They take
 * turns, round by round; the one whose turn it is not is stopped, so that each has the core to itself.
 */
import { heading, lineChart } from '../src/cli/stress/line-chart.ts';
import type { LoadResult } from '../src/cli/stress/stress-record.ts';
import { median } from './announce-cost.ts';
import type { Server } from './contenders.ts';
import { Day, PUBLISHED } from './day.ts';
import { cpuSeconds, pause } from './processes.ts';
import { reached, type Table } from './results.ts';
import {
  fillWith,
  type LoopDelays,
  load,
  NEVER,
  S3_NOTE,
  saveNow,
  startS3,
  startService,
  takeLoopDelays,
} from './service.ts';

export interface EventLoopOptions {
  readonly scratch: string;
  readonly peers: number;
  readonly rounds: number;
  readonly roundSeconds: number;
  /** When the purge is due; at least once in a round. */
  readonly purgeCron: string;
  readonly announcesPerSecond: number;
  readonly onProgress: (text: string) => void;
}

export interface LoopTurn {
  readonly delays: LoopDelays;
  readonly load: LoadResult;
  readonly cpuShare: number;
  readonly savedMs: number | undefined;
}

export interface LoopRound {
  readonly without: LoopTurn;
  readonly saving: LoopTurn;
}

export interface EventLoopResult {
  readonly peers: number;
  readonly swarms: number;
  readonly roundSeconds: number;
  readonly announcesPerSecond: number;
  readonly purgeCron: string;
  readonly rounds: readonly LoopRound[];
}

/** For what was due while the process was stopped, and for code to become warm. */
const LEAD_SECONDS = 3;
const RATIO_MAX = 1.5;
const DELAY_MS_MAX = 5;

export async function eventLoopUnderLoad(options: EventLoopOptions): Promise<EventLoopResult> {
  const { scratch, peers, rounds, roundSeconds, purgeCron, announcesPerSecond, onProgress } = options;
  const s3 = await startS3(scratch);
  const start = async (prefix: string, environment: Record<string, string>) => {
    const day = new Day(peers / PUBLISHED.peers);
    const server = await startService({
      environment: { ...s3.environment(prefix), SNAPSHOT_CRON: NEVER, ...environment },
      preload: 'loop-delay.mjs',
    });
    onProgress(`event loop: filling ${day.peers} peers in ${day.swarms} swarms (${prefix})`);
    await fillWith(server, day, onProgress);
    server.signal('SIGSTOP');
    return { server, day };
  };
  const without = await start('without', { PURGE_CRON: NEVER, JOURNAL_SECONDS: '0' });
  const saving = await start('saving', { PURGE_CRON: purgeCron, JOURNAL_SECONDS: '10' });

  const turn = async ({ server, day }: { server: Server; day: Day }, saves: boolean): Promise<LoopTurn> => {
    server.signal('SIGCONT');
    await pause(1_000);
    const loading = load({
      port: server.port,
      perSecond: announcesPerSecond,
      seconds: roundSeconds,
      leadSeconds: LEAD_SECONDS,
      nextRequest: () => day.next(),
    });
    const work = async () => {
      await pause(LEAD_SECONDS * 1_000);
      await takeLoopDelays(server);
      const cpu = cpuSeconds(server.pid);
      const saved = saves ? await saveNow(server) : undefined;
      const result = await loading;
      return {
        delays: await takeLoopDelays(server),
        load: result,
        cpuShare: (cpuSeconds(server.pid) - cpu) / result.seconds,
        savedMs: saved?.ms,
      };
    };
    const [, done] = await Promise.all([loading, work()]);
    server.signal('SIGSTOP');
    if (done.savedMs !== undefined && done.savedMs > roundSeconds * 1_000) {
      throw new Error(`the save took ${(done.savedMs / 1_000).toFixed(0)} s, longer than the round`);
    }
    return done;
  };

  const found: LoopRound[] = [];
  for (let round = 0; round < rounds; round++) {
    onProgress(`event loop: round ${round + 1} of ${rounds}, twice ${roundSeconds} s`);
    if (round % 2 === 0) {
      const first = await turn(without, false);
      found.push({ without: first, saving: await turn(saving, true) });
    } else {
      const first = await turn(saving, true);
      found.push({ saving: first, without: await turn(without, false) });
    }
    const { without: still, saving: busy } = found.at(-1)!;
    onProgress(
      `event loop: p99.9 ${still.delays.p999.toFixed(2)} ms without, ${busy.delays.p999.toFixed(2)} ms with`,
    );
  }
  await Promise.all([without.server.end(), saving.server.end(), s3.end()]);
  const { peers: all, swarms } = without.day;
  return { peers: all, swarms, roundSeconds, announcesPerSecond, purgeCron, rounds: found };
}

const NAMES = ['p50', 'p99', 'p999', 'max'] as const;

export function eventLoopTable(result: EventLoopResult): Table {
  const { rounds, roundSeconds, announcesPerSecond, peers, swarms, purgeCron } = result;
  const of = (name: (turn: LoopTurn) => number, which: keyof LoopRound): number =>
    median(rounds.map((round) => name(round[which])));
  const row = (text: string, which: keyof LoopRound): string[] => [
    text,
    ...NAMES.map((name) => `${of(({ delays }) => delays[name], which).toFixed(2)} ms`),
    ...(['p99', 'p999'] as const).map(
      (name) => `${of(({ load: { latencyMs } }) => latencyMs[name], which).toFixed(2)} ms`,
    ),
    `${(of(({ cpuShare }) => cpuShare, which) * 100).toFixed(1)} %`,
  ];
  const ratio = (name: (turn: LoopTurn) => number): string =>
    median(rounds.map((round) => name(round.saving) / Math.max(name(round.without), 0.001))).toFixed(2);
  const ratioP999 = Number(ratio(({ delays }) => delays.p999));
  const p999 = of(({ delays }) => delays.p999, 'saving');
  const saves = rounds.map(({ saving }) => saving.savedMs ?? 0);
  return {
    title: `How late the event loop is with ${peers} peers in ${swarms} swarms at ${announcesPerSecond} announces a second, median of ${rounds.length} interleaved rounds of ${roundSeconds} s`,
    header: [
      '',
      ...['p50', 'p99', 'p99.9', 'longest'].map((name) => `loop: ${name}`),
      ...['p99', 'p99.9'].map((name) => `client: ${name}`),
      'of a core',
    ],
    rows: [
      row('without purge and save', 'without'),
      row('with purge and save', 'saving'),
      [
        'ratio, median of the rounds',
        ...NAMES.map((name) => ratio(({ delays }) => delays[name])),
        ...(['p99', 'p999'] as const).map((name) => ratio(({ load: { latencyMs } }) => latencyMs[name])),
        ratio(({ cpuShare }) => cpuShare),
      ],
    ],
    notes: [
      `p99.9 with purge and save over that without: ${ratioP999.toFixed(2)} (to reach: at most ${RATIO_MAX}; ${reached(ratioP999 <= RATIO_MAX)}); p99.9 with them: ${p999.toFixed(2)} ms (to reach: at most ${DELAY_MS_MAX} ms; ${reached(p999 <= DELAY_MS_MAX)}).`,
      `Each round with saving holds one whole save, of ${(median(saves) / 1_000).toFixed(1)} s, and the purges of “${purgeCron}”; by default one is saved every third minute at most. The loop is sampled every millisecond, and the period is taken off; the sampling is some hundredths of the core’s share in both.`,
      S3_NOTE,
    ],
  };
}

export function eventLoopPlots({ rounds }: EventLoopResult): string[] {
  const points = (which: keyof LoopRound, name: 'p99' | 'p999') =>
    rounds.map((round, index) => [index + 1, round[which].delays[name]] as const);
  return [
    heading('Event loop, round by round'),
    lineChart({
      title: 'How late the event loop is',
      xLabel: 'round',
      yLabel: 'milliseconds',
      series: [
        { name: 'p99 without', points: points('without', 'p99') },
        { name: 'p99 with purge and save', points: points('saving', 'p99') },
        { name: 'p99.9 without', points: points('without', 'p999') },
        { name: 'p99.9 with purge and save', points: points('saving', 'p999') },
      ],
    }),
  ];
}
