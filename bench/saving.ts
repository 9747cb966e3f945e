/**
 * The CPU time that saving costs under steady load, on the table of the Go tracker's day: announces come at a constant
 * rate in turns of a minute, to a process that saves nothing, to one that writes its journal, and to that one while it
 * takes a whole snapshot. The differences are the price of a minute of journal and of one snapshot; a day's share
 * follows from how often each happens. Whoever's turn it is not is stopped.
 */
import { barChart, heading } from '../src/cli/stress/line-chart.ts';
import { median } from './announce-cost.ts';
import type { Server } from './contenders.ts';
import { Day } from './day.ts';
import { cpuSeconds, pause } from './processes.ts';
import { reached, type Table } from './results.ts';
import { fillWith, journalSeconds, load, NEVER, S3_NOTE, saveNow, startS3, startService } from './service.ts';

export interface SavingOptions {
  readonly scratch: string;
  /** Of the day's table; 1 is all of it. */
  readonly scale: number;
  readonly rounds: number;
  readonly turnSeconds: number;
  readonly announcesPerSecond: number;
  readonly onProgress: (text: string) => void;
}

export interface SavingRound {
  /** CPU seconds in each turn. */
  readonly off: number;
  readonly journal: number;
  readonly saving: number;
  /** Snapshots in the journal’s turn, which the tracker took of its own accord: then the difference is not the journal’s. */
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
  readonly hasJournal: boolean;
  readonly rounds: readonly SavingRound[];
}

const LEAD_SECONDS = 3;
const JOURNAL_SECONDS = 10;
/** Between two whole snapshots: the schedule's default, and what it becomes where a journal makes them rarer. */
const SNAPSHOT_MINUTES = [3, 14, 30] as const;
const SHARE_MAX = 0.003;

export async function savingCost(options: SavingOptions): Promise<SavingResult> {
  const { scratch, scale, rounds, turnSeconds, announcesPerSecond, onProgress } = options;
  const s3 = await startS3(scratch);
  const hasJournal = Object.keys(journalSeconds(JOURNAL_SECONDS)).length > 0;
  if (!hasJournal) onProgress('saving: this build has no journal; its part will be nothing');
  const start = async (prefix: string, journal: number) => {
    const day = new Day(scale);
    const server = await startService({
      environment: { ...s3.environment(prefix), SNAPSHOT_CRON: NEVER, ...journalSeconds(journal) },
    });
    onProgress(`saving: filling ${day.peers} peers in ${day.swarms} swarms (${prefix})`);
    await fillWith(server, day, onProgress);
    return { server, day };
  };
  const off = await start('off', 0);
  off.server.signal('SIGSTOP');
  const on = await start('on', JOURNAL_SECONDS);
  // The first snapshot has everything to do for the first time.
  await saveNow(on.server);
  on.server.signal('SIGSTOP');

  let snapshots = 0;
  on.server.onLine((line) => {
    if (/"message":"snapshot saved/.test(line)) snapshots += 1;
  });

  const turn = async ({ server, day }: { server: Server; day: Day }, saves: boolean) => {
    server.signal('SIGCONT');
    await pause(1_000);
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
      const saved = saves ? await saveNow(server) : undefined;
      const result = await loading;
      const passedSeconds = (performance.now() - startMs) / 1_000;
      if (saved !== undefined && saved.ms > turnSeconds * 1_000) {
        throw new Error(`the save took ${(saved.ms / 1_000).toFixed(0)} s, longer than its turn`);
      }
      if (result.failed + result.unanswered > 0) {
        throw new Error(`${result.failed} announces failed, ${result.unanswered} got no answer`);
      }
      // The end is found a few milliseconds late, always differently.
      const cpu = ((cpuSeconds(server.pid) - before) * turnSeconds) / passedSeconds;
      return { cpu, saved };
    };
    const [, done] = await Promise.all([loading, work()]);
    server.signal('SIGSTOP');
    return done;
  };

  const found: SavingRound[] = [];
  for (let round = 0; round < rounds; round++) {
    onProgress(`saving: round ${round + 1} of ${rounds}, three turns of ${turnSeconds} s`);
    const { cpu: without } = await turn(off, false);
    const before = snapshots;
    const { cpu: journal } = await turn(on, false);
    const unasked = snapshots - before;
    const { cpu: saving, saved } = await turn(on, true);
    found.push({
      off: without,
      journal,
      saving,
      unasked,
      snapshotBytes: saved!.bytes,
      snapshotMs: saved!.ms,
    });
    onProgress(
      `saving: CPU ${without.toFixed(2)} s off, ${journal.toFixed(2)} s with the journal, ${saving.toFixed(2)} s with a snapshot`,
    );
  }
  await Promise.all([off.server.end(), on.server.end(), s3.end()]);
  const { peers, swarms } = off.day;
  return { peers, swarms, scale, turnSeconds, announcesPerSecond, hasJournal, rounds: found };
}

interface Prices {
  /** CPU seconds. */
  readonly snapshot: number;
  readonly journalMinute: number;
}

function pricesOf({ rounds, turnSeconds, hasJournal }: SavingResult): Prices {
  return {
    snapshot: median(rounds.map(({ saving, journal }) => saving - journal)),
    // Without a journal the two turns are alike, and what they differ by is noise.
    journalMinute: hasJournal
      ? (median(rounds.map(({ journal, off }) => journal - off)) * 60) / turnSeconds
      : 0,
  };
}

export function savingTable(result: SavingResult): Table {
  const { rounds, turnSeconds, announcesPerSecond, peers, swarms, hasJournal } = result;
  const prices = pricesOf(result);
  const of = (value: (round: SavingRound) => number): number => median(rounds.map(value));
  const ofTurn = (name: string, value: (round: SavingRound) => number): string[] => {
    const seconds = rounds.map(value);
    const spread = `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}`;
    return [name, `${of(value).toFixed(2)} s (${spread})`, percent(of(value) / turnSeconds)];
  };
  const shareAt = (minutes: number): number => (prices.snapshot / minutes + prices.journalMinute) / 60;
  return {
    title: `CPU time of saving with ${peers} peers in ${swarms} swarms at ${announcesPerSecond} announces a second, median of ${rounds.length} rounds of ${turnSeconds} s turns`,
    header: ['', 'CPU', 'of a core'],
    rows: [
      ofTurn('a turn that saves nothing', ({ off }) => off),
      ofTurn('a turn with the journal', ({ journal }) => journal),
      ofTurn('a turn with the journal and one snapshot', ({ saving }) => saving),
      ['one snapshot: the third less the second', `${prices.snapshot.toFixed(2)} s`, ''],
      [
        'a minute of journal: the second less the first',
        hasJournal
          ? `${prices.journalMinute.toFixed(3)} s`
          : `none: this build has no journal (the two turns differ by ${of(({ journal, off }) => journal - off).toFixed(3)} s: noise)`,
        hasJournal ? percent(prices.journalMinute / 60) : '–',
      ],
      ...SNAPSHOT_MINUTES.map((minutes) => [
        `saving, with a snapshot every ${minutes} minutes`,
        `(${prices.snapshot.toFixed(2)} s ÷ ${minutes} + ${prices.journalMinute.toFixed(3)} s) a minute`,
        `${percent(shareAt(minutes))} (to reach: under ${percent(SHARE_MAX)}; ${reached(shareAt(minutes) < SHARE_MAX)})`,
      ]),
    ],
    notes: [
      `A snapshot has ${(of(({ snapshotBytes }) => snapshotBytes) / 2 ** 20).toFixed(1)} MiB and took ${(of(({ snapshotMs }) => snapshotMs) / 1_000).toFixed(1)} s; listing and removing older ones is in it. CPU is the whole process’s, all threads, user and system. The last rows are arithmetic from the ones above, not a day that was watched.`,
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
        ['saves nothing', share(({ off }) => off)],
        ['journal', share(({ journal }) => journal)],
        ['journal and a snapshot', share(({ saving }) => saving)],
      ],
      '%',
    ),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
