/**
 * The CPU time that saving costs under steady load, on the table of the Go tracker's day: announces come at a constant
 * rate in turns of a minute to a process that writes its journal, and in every second turn takes a whole snapshot. Minutes
 * of the same load differ by more than saving costs, so what it costs is not told from their difference: V8's profiler
 * samples what runs, and counted is what runs for the store. A day's share follows from how often each happens.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart, heading } from '../src/cli/stress/line-chart.ts';
import { median } from './announce-cost.ts';
import { Day } from './day.ts';
import { framesOf, selfOf, within } from './flame-graph.ts';
import { cpuSeconds, pause } from './processes.ts';
import { reached, type Table } from './results.ts';
import { fillWith, load, NEVER, S3_NOTE, saveNow, startS3, startService, switchProfiler } from './service.ts';

export interface SavingOptions {
  readonly scratch: string;
  /** Of the day's table; 1 is all of it. */
  readonly scale: number;
  readonly rounds: number;
  readonly turnSeconds: number;
  readonly announcesPerSecond: number;
  readonly onProgress: (text: string) => void;
}

/** Seconds. */
export interface Turn {
  /** The whole process's CPU time, the profiler's included. */
  readonly cpu: number;
  /** In which the main thread did not wait. */
  readonly busy: number;
  /** Of them, for the store: what was called from persistence/ or is the S3 client's. */
  readonly saving: number;
  /** Of them, the garbage collector's, for whomever. */
  readonly collector: number;
}

export interface SavingRound {
  readonly journal: Turn;
  readonly snapshot: Turn;
  /** Snapshots in the journal’s turn, which the tracker took of its own accord: they are in its price. */
  readonly unasked: number;
  readonly snapshotBytes: number;
  readonly snapshotMs: number;
}

export interface SavingResult {
  readonly peers: number;
  readonly swarms: number;
  readonly scale: number;
  readonly turnSeconds: number;
  readonly announcesPerSecond: number;
  readonly rounds: readonly SavingRound[];
}

const LEAD_SECONDS = 3;
const JOURNAL_SECONDS = 10;
/** Between two whole snapshots: the schedule's default, and what it becomes where a journal makes them rarer. */
const SNAPSHOT_MINUTES = [3, 14, 30] as const;
const SHARE_MAX = 0.003;
const FOR_THE_STORE = /^persistence\/|^@aws-sdk\/|^@smithy\//;

export async function savingCost(options: SavingOptions): Promise<SavingResult> {
  const { scratch, scale, rounds, turnSeconds, announcesPerSecond, onProgress } = options;
  const s3 = await startS3(scratch);
  const day = new Day(scale);
  const server = await startService({
    environment: {
      ...s3.environment('saving'),
      SNAPSHOT_CRON: NEVER,
      JOURNAL_SECONDS: String(JOURNAL_SECONDS),
      PROFILE_FOLDER: mkdtempSync(join(scratch, 'saving-')),
    },
    preload: 'profile.mjs',
  });
  onProgress(`saving: filling ${day.peers} peers in ${day.swarms} swarms`);
  await fillWith(server, day, onProgress);
  // The first snapshot has everything to do for the first time.
  await saveNow(server);
  let snapshots = 0;
  server.onLine((line) => {
    if (/"message":"snapshot saved/.test(line)) snapshots += 1;
  });

  const turn = async (saves: boolean) => {
    const loading = load({
      port: server.port,
      perSecond: announcesPerSecond,
      seconds: turnSeconds,
      leadSeconds: LEAD_SECONDS,
      nextRequest: () => day.next(),
    });
    const work = async () => {
      await pause(LEAD_SECONDS * 1_000);
      const before = cpuSeconds(server.pid);
      const startMs = performance.now();
      await switchProfiler(server);
      const saved = saves ? await saveNow(server) : undefined;
      const result = await loading;
      const passedSeconds = (performance.now() - startMs) / 1_000;
      if (saved !== undefined && saved.ms > turnSeconds * 1_000) {
        throw new Error(`the save took ${(saved.ms / 1_000).toFixed(0)} s, longer than its turn`);
      }
      if (result.failed + result.unanswered > 0) {
        throw new Error(`${result.failed} announces failed, ${result.unanswered} got no answer`);
      }
      const cpu = cpuSeconds(server.pid) - before;
      const root = framesOf(JSON.parse(readFileSync(await switchProfiler(server), 'utf8')));
      // The end is found a few milliseconds late, always differently.
      const scaled = (seconds: number): number => (seconds * turnSeconds) / passedSeconds;
      const found: Turn = {
        cpu: scaled(cpu),
        busy: scaled(root.totalMicroseconds / 1e6),
        saving: scaled(within(root, FOR_THE_STORE) / 1e6),
        collector: scaled(selfOf(root, 'collector') / 1e6),
      };
      return { found, saved };
    };
    const [, done] = await Promise.all([loading, work()]);
    return done;
  };

  const found: SavingRound[] = [];
  for (let round = 0; round < rounds; round++) {
    onProgress(`saving: round ${round + 1} of ${rounds}, two turns of ${turnSeconds} s`);
    const before = snapshots;
    const { found: journal } = await turn(false);
    const unasked = snapshots - before;
    const { found: snapshot, saved } = await turn(true);
    found.push({ journal, snapshot, unasked, snapshotBytes: saved!.bytes, snapshotMs: saved!.ms });
    onProgress(
      `saving: for the store ${journal.saving.toFixed(3)} s with the journal, ${snapshot.saving.toFixed(3)} s with a snapshot`,
    );
  }
  await Promise.all([server.end(), s3.end()]);
  const { peers, swarms } = day;
  return { peers, swarms, scale, turnSeconds, announcesPerSecond, rounds: found };
}

interface Prices {
  /** Seconds of a core. */
  readonly snapshot: number;
  readonly journalMinute: number;
}

/** What else the collector has to do is the snapshot's. */
function pricesOf({ rounds, turnSeconds }: SavingResult): Prices {
  const spent = ({ saving, collector }: Turn): number => saving + collector;
  return {
    snapshot: median(rounds.map(({ snapshot, journal }) => spent(snapshot) - spent(journal))),
    journalMinute: (median(rounds.map(({ journal }) => journal.saving)) * 60) / turnSeconds,
  };
}

export function savingTable(result: SavingResult): Table {
  const { rounds, turnSeconds, announcesPerSecond, peers, swarms } = result;
  const prices = pricesOf(result);
  const of = (value: (round: SavingRound) => number): number => median(rounds.map(value));
  const ofTurn = (name: string, value: (round: SavingRound) => Turn): string[] => {
    const seconds = (part: keyof Turn): string => `${of((round) => value(round)[part]).toFixed(2)} s`;
    return [name, seconds('cpu'), seconds('busy'), seconds('collector'), seconds('saving')];
  };
  const shareAt = (minutes: number): number => (prices.snapshot / minutes + prices.journalMinute) / 60;
  return {
    title: `CPU time of saving with ${peers} peers in ${swarms} swarms at ${announcesPerSecond} announces a second, median of ${rounds.length} rounds of ${turnSeconds} s turns`,
    header: ['', 'process', 'main thread', 'garbage collector', 'for the store'],
    rows: [
      ofTurn('a turn with the journal', ({ journal }) => journal),
      ofTurn('a turn with the journal and one snapshot', ({ snapshot }) => snapshot),
      ['one snapshot: the difference, with the collector’s', '', '', '', `${prices.snapshot.toFixed(2)} s`],
      [
        `a minute of journal: ${percent(prices.journalMinute / 60)} of a core`,
        '',
        '',
        '',
        `${prices.journalMinute.toFixed(3)} s`,
      ],
      ...SNAPSHOT_MINUTES.map((minutes) => [
        `saving, with a snapshot every ${minutes} minutes`,
        '',
        '',
        '',
        `(${prices.snapshot.toFixed(2)} s ÷ ${minutes} + ${prices.journalMinute.toFixed(3)} s) a minute: ${percent(shareAt(minutes))} (to reach: under ${percent(SHARE_MAX)}; ${reached(shareAt(minutes) < SHARE_MAX)})`,
      ]),
    ],
    notes: [
      `A snapshot has ${(of(({ snapshotBytes }) => snapshotBytes) / 2 ** 20).toFixed(1)} MiB and took ${(of(({ snapshotMs }) => snapshotMs) / 1_000).toFixed(1)} s; listing and removing older ones is in it. Process: all threads, user and system, the profiler’s own included. The other columns are of the profile, sampled every half millisecond. The last rows are arithmetic from the ones above, not a day that was watched.`,
      ...(rounds.some(({ unasked }) => unasked > 0)
        ? [
            'In some turns of the journal the tracker took a snapshot of its own accord: the price of the journal holds a part of it.',
          ]
        : []),
      S3_NOTE,
    ],
  };
}

export function savingPlots(result: SavingResult): string[] {
  const { rounds, turnSeconds } = result;
  const share = (value: (round: SavingRound) => number): number =>
    (median(rounds.map(value)) / turnSeconds) * 100;
  return [
    heading('Saving'),
    barChart(
      'Share of a core',
      [
        ['announces', share(({ journal }) => journal.busy - journal.saving)],
        ['journal', share(({ journal }) => journal.saving)],
        ['journal and a snapshot', share(({ snapshot }) => snapshot.saving)],
      ],
      '%',
    ),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
