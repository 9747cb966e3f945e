/**
 * The day that the Go tracker of the same name published in May 2021, rebuilt: its peers and swarms are announced to
 * a real process over HTTP, then its rate of announces goes on for some minutes while the purge and the save to an S3
 * server run as they do in service. What the clients see is measured from when each announce was due; how late the
 * event loop was is what the tracker's own statistics say, minute by minute. Before it, a socket that answers with
 * fixed bytes hears the same announces at the same rate: what its clients wait is the machine's part.
 */
import { NODE_FLAGS } from '../src/cli/daemon/node-flags.ts';
import { heading, lineChart, paragraph, reportPage } from '../src/cli/stress/line-chart.ts';
import { LoadRecord, type LoadResult } from '../src/cli/stress/stress-record.ts';
import { percentileChart } from '../src/cli/stress/stress-report.ts';
import { fixedReplyServer, withServer } from './contenders.ts';
import { Day, PUBLISHED } from './day.ts';
import { getJson } from './fill.ts';
import { laneCounts, laneShare } from './lane-share.ts';
import { cpuSeconds, endAfter, pause, rssBytes, rssPeakBytes } from './processes.ts';
import {
  machineText,
  reached,
  type Table,
  tableParts,
  tableText,
  thisMachine,
  writeResults,
} from './results.ts';
import { fillWith, type LoopDelays, load, S3_NOTE, startS3, startService } from './service.ts';

export interface ReplayOptions {
  readonly scratch: string;
  /** Where the results go. */
  readonly folder: string;
  readonly minutes: number;
  /** Of the published figures; 1 is all of them. */
  readonly scale: number;
  readonly onProgress: (text: string) => void;
}

const DYNO_MIB = 512;
const RSS_MIB_MAX = 300;
const P99_MS_MAX = 2;
const FILL_MINUTES_MAX = 45;
const CONTROL_SECONDS = 60;
const SAMPLE_MS = 1_000;
/** Seldom, because a look at the statistics is work, and often enough to see every minute that has ended. */
const LOOP_LOOK_MS = 20_000;
const SETTLE_MS = 2_000;

interface Sample {
  readonly second: number;
  readonly rssBytes: number;
  readonly cpuShare: number;
}

/** What the tracker tells of its event loop. */
interface EventLoop {
  readonly windowsEnded: number;
  readonly delayMs: LoopDelays | null;
  readonly delayMsSoFar: LoopDelays;
}

export async function replayDay(options: ReplayOptions): Promise<void> {
  const { scratch, folder, minutes, scale, onProgress } = options;
  endAfter(FILL_MINUTES_MAX + minutes + 10);
  const rate = PUBLISHED.announcesPerSecond;
  onProgress(`${CONTROL_SECONDS} s of ${rate} announces a second to a socket with a fixed reply`);
  const controlDay = new Day(scale);
  const control = await withServer(fixedReplyServer, scratch, [], ({ port }) =>
    load({ port, perSecond: rate, seconds: CONTROL_SECONDS, nextRequest: () => controlDay.next() }),
  );
  const s3 = await startS3(scratch);
  const environment = { ...s3.environment('day'), MEMORY_AVAILABLE: String(DYNO_MIB) };
  const server = await startService({ environment });
  const { port, pid } = server;

  const day = new Day(scale);
  const { peers, swarms } = day;
  await pause(SETTLE_MS);
  const rssIdle = rssBytes(pid);
  onProgress(`filling: ${peers} peers in ${swarms} swarms`);
  const fillStartMs = performance.now();
  const cpuAtFill = cpuSeconds(pid);
  await fillWith(server, day, onProgress, FILL_MINUTES_MAX * 60_000);
  const fillSeconds = (performance.now() - fillStartMs) / 1000;
  const fillCpuSeconds = cpuSeconds(pid) - cpuAtFill;
  const rssFilled = rssBytes(pid);
  await pause(SETTLE_MS);

  onProgress(`${minutes} minutes of ${rate} announces a second`);
  const record = new LoadRecord();
  const samples: Sample[] = [];
  const saves = { snapshots: 0, errors: 0 };
  server.onLine((line) => {
    if (/"message":"snapshot saved/.test(line)) saves.snapshots += 1;
    if (/"level":"error"/.test(line)) saves.errors += 1;
  });
  const loopWindows: LoopDelays[] = [];
  const eventLoopNow = async (): Promise<EventLoop> =>
    (await getJson(port, '/stats.json')).eventLoop as EventLoop;
  const { windowsEnded: windowsAtStart } = await eventLoopNow();
  let windowsEnded = windowsAtStart;
  const noteWindow = ({ windowsEnded: ended, delayMs, delayMsSoFar }: EventLoop, isLast: boolean): void => {
    // The first minute that ends had begun before the load.
    if (ended > windowsEnded && delayMs !== null && ended > windowsAtStart + 1) loopWindows.push(delayMs);
    windowsEnded = ended;
    if (isLast && delayMsSoFar.samples > 0 && (ended > windowsAtStart || loopWindows.length === 0)) {
      loopWindows.push(delayMsSoFar);
    }
  };
  const laneBefore = await laneCounts(port);
  const cpuBefore = cpuSeconds(pid);
  let cpuAtSample = cpuBefore;
  let sampledMs = performance.now();
  const startMs = sampledMs;
  const sampling = setInterval(() => {
    const nowMs = performance.now();
    const cpu = cpuSeconds(pid);
    samples.push({
      second: (nowMs - startMs) / 1000,
      rssBytes: rssBytes(pid),
      cpuShare: ((cpu - cpuAtSample) * 1000) / (nowMs - sampledMs),
    });
    cpuAtSample = cpu;
    sampledMs = nowMs;
    const last = record.lastSecond;
    if (last !== undefined && (last.second + 1) % 60 === 0) {
      onProgress(`${(last.second + 1) / 60} minutes, p99 of the last second ${last.p99Ms.toFixed(2)} ms`);
    }
  }, SAMPLE_MS);
  const looking = setInterval(() => {
    eventLoopNow().then(
      (now) => noteWindow(now, false),
      (error) => onProgress(`no look at the event loop: ${error}`),
    );
  }, LOOP_LOOK_MS);
  const result = await load({
    port,
    perSecond: rate,
    seconds: minutes * 60,
    nextRequest: () => day.next(),
    record,
  }).finally(() => {
    clearInterval(sampling);
    clearInterval(looking);
  });
  const cpuShare = (cpuSeconds(pid) - cpuBefore) / result.seconds;
  const share = laneShare(laneBefore, await laneCounts(port));
  noteWindow(await eventLoopNow(), true);
  const after = await getJson(port, '/stats.json');
  const rssPeak = rssPeakBytes(pid);
  await Promise.all([server.end(), s3.end()]);

  const found: Found = {
    machine: thisMachine(),
    scale,
    minutes,
    published: PUBLISHED,
    peers,
    swarms,
    seeders: day.seeders,
    fillSeconds,
    fillCpuSeconds,
    rssIdleBytes: rssIdle,
    rssFilledBytes: rssFilled,
    rssMaxBytes: Math.max(rssFilled, ...samples.map((sample) => sample.rssBytes)),
    rssPeakBytes: rssPeak,
    cpuShare,
    laneShare: share,
    saves,
    loopWindows,
    uniqueAddresses: after.uniqueAddresses,
    load: result,
    control,
    samples,
  };
  const table = replayTable(found);
  console.log(`\n${machineText(found.machine, scale !== 1)}`);
  console.log(tableText(table));
  const paths = writeResults({
    folder,
    name: 'replay-day',
    date: found.machine.date,
    machine: machineText(found.machine, scale !== 1),
    results: found,
    page: page(found, table),
    tables: [table],
  });
  for (const path of paths) console.log(path);
}

interface Found {
  readonly scale: number;
  readonly minutes: number;
  readonly machine: ReturnType<typeof thisMachine>;
  readonly published: typeof PUBLISHED;
  readonly peers: number;
  readonly swarms: number;
  readonly seeders: number;
  readonly uniqueAddresses: unknown;
  readonly fillSeconds: number;
  readonly fillCpuSeconds: number;
  readonly rssIdleBytes: number;
  readonly rssFilledBytes: number;
  readonly rssMaxBytes: number;
  readonly rssPeakBytes: number;
  readonly cpuShare: number;
  readonly laneShare: number;
  readonly saves: { readonly snapshots: number; readonly errors: number };
  /** Minute by minute; the last may be shorter. */
  readonly loopWindows: readonly LoopDelays[];
  readonly load: LoadResult;
  /** Of the socket that answers with fixed bytes. */
  readonly control: LoadResult;
  readonly samples: readonly Sample[];
}

function replayTable(found: Found): Table {
  const { load, control, saves } = found;
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  const worst = (name: keyof LoopDelays): string =>
    ms(Math.max(0, ...found.loopWindows.map((window) => window[name])));
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return {
    title: `The Go tracker’s day of May 2021${found.scale === 1 ? '' : ` at a scale of ${found.scale}: not comparable`}`,
    header: ['', 'published', 'this run', 'a fixed reply'],
    rows: [
      ['peers (seeders)', '2975981 (1014075)', `${found.peers} (${found.seeders})`, '–'],
      ['swarms', '1276252', String(found.swarms), '–'],
      ['addresses, as the tracker estimates them', '441528', String(found.uniqueAddresses), '–'],
      ['announces a second', '1000 to 1521', load.perSecond.toFixed(0), control.perSecond.toFixed(0)],
      ['latency p50', 'under 1 ms', ms(load.latencyMs.p50), ms(control.latencyMs.p50)],
      ['latency p95', '1 ms', ms(load.latencyMs.p95), ms(control.latencyMs.p95)],
      ['latency p99', '6 ms', ms(load.latencyMs.p99), ms(control.latencyMs.p99)],
      ['latency p99.9', '–', ms(load.latencyMs.p999), ms(control.latencyMs.p999)],
      ['longest', '–', ms(load.latencyMs.max), ms(control.latencyMs.max)],
      ['before an announce was sent, p99', '–', ms(load.unsentMs.p99), ms(control.unsentMs.p99)],
      ['memory, the most meanwhile', '722 to 791 MB, 210 of it in swap', mib(found.rssMaxBytes), '–'],
      ['memory, the peak since the start', '–', mib(found.rssPeakBytes), '–'],
      ['memory idle, before the fill', '–', mib(found.rssIdleBytes), '–'],
      ['memory after the fill', '–', mib(found.rssFilledBytes), '–'],
      ['share of one core', '–', `${(found.cpuShare * 100).toFixed(1)} %`, '–'],
      ['event loop late, p50, the worst minute', '–', worst('p50'), '–'],
      ['event loop late, p99, the worst minute', '–', worst('p99'), '–'],
      ['event loop late, p99.9, the worst minute', '–', worst('p999'), '–'],
      ['event loop late, longest', '–', worst('max'), '–'],
      ['answered by the lane', '–', `${(found.laneShare * 100).toFixed(2)} %`, '–'],
      ['snapshots saved meanwhile', '–', `${saves.snapshots}, ${saves.errors} errors logged`, '–'],
      ['refused, failed, unanswered', '–', `${load.refused}, ${load.failed}, ${load.unanswered}`, '–'],
    ],
    notes: [
      `${found.minutes} minutes, after a fill of ${found.fillSeconds.toFixed(0)} s through the same announces. Latency is what the client sees, counted from when each announce was due; what passed before it was sent is in it: the client was late itself, or had no free connection.`,
      `A fixed reply: a node:net socket that answers the same bytes to whatever comes, for ${CONTROL_SECONDS} s before, from the same clients on the same cores: what waits there is the machine’s and the client’s.`,
      'How late the event loop was is the tracker’s own account (/stats.json): one figure for each minute, of which the worst is shown.',
      ...(found.scale === 1
        ? [
            `To reach: ${RSS_MIB_MAX} MiB (${reached(found.rssPeakBytes <= RSS_MIB_MAX * 2 ** 20)}) and p99 of ${P99_MS_MAX} ms (${reached(load.latencyMs.p99 <= P99_MS_MAX)}).`,
          ]
        : []),
      `Node ran with ${NODE_FLAGS.join(' ')}, and MEMORY_AVAILABLE=${DYNO_MIB}.`,
      S3_NOTE,
    ],
  };
}

function page(found: Found, table: Table): string {
  const { load, samples } = found;
  const timeline = (name: string, of: (second: LoadResult['timeline'][number]) => number) => ({
    name,
    points: load.timeline.map((second) => [second.second, of(second)] as const),
  });
  const overTime = { xLabel: 'seconds since the start' };
  return reportPage('Trakx: the Go tracker’s day', [
    paragraph(machineText(found.machine, found.scale !== 1)),
    ...tableParts(table),
    heading('Plots'),
    paragraph('Saves and purges run on their schedules meanwhile.'),
    lineChart({
      ...overTime,
      title: 'Latency over time',
      yLabel: 'milliseconds',
      isYLogarithmic: true,
      series: [
        timeline('p50', ({ p50Ms }) => p50Ms),
        timeline('p99', ({ p99Ms }) => p99Ms),
        timeline('longest', ({ maxMs }) => maxMs),
      ],
    }),
    percentileChart([{ name: 'announces', result: load }]),
    lineChart({
      ...overTime,
      title: 'Memory',
      yLabel: 'MiB',
      series: [{ name: 'RSS', points: samples.map((one) => [one.second, one.rssBytes / 2 ** 20] as const) }],
    }),
    lineChart({
      title: 'Event loop late, by the minute',
      xLabel: 'minute',
      yLabel: 'milliseconds',
      series: (['p50', 'p99', 'p999', 'max'] as const).map((name) => ({
        name,
        points: found.loopWindows.map((window, minute) => [minute + 1, window[name]] as const),
      })),
    }),
    lineChart({
      ...overTime,
      title: 'Share of the server’s core',
      yLabel: '%',
      series: [{ name: 'CPU', points: samples.map((one) => [one.second, one.cpuShare * 100] as const) }],
    }),
  ]);
}
