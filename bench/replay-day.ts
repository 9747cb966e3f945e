/**
 * The day that the Go tracker of the same name published in May 2021, rebuilt: its peers and swarms are announced to
 * a real process over HTTP, then its rate of announces goes on for some minutes while the purge and the save to an S3
 * server run as they do in service. What the clients see is measured from when each announce was due.
 *
 * Both generators are seeded: every run announces the same peers in the same order.
 */
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { heading, lineChart, paragraph, reportPage } from '../src/cli/line-chart.ts';
import { NODE_FLAGS } from '../src/cli/node-flags.ts';
import { LoadRecord, type LoadResult } from '../src/cli/stress-record.ts';
import { percentileChart } from '../src/cli/stress-report.ts';
import { sendAtRate } from '../src/cli/stress-sender.ts';
import { Zipf } from '../src/cli/zipf.ts';
import { seededRandom } from '../test/builders/random.ts';
import { MAIN } from './contenders.ts';
import { fill, getJson } from './fill.ts';
import { addressOf, announceRequest, type Crowd, escapedHash, infoHash } from './mix.ts';
import {
  CLIENT_CORE,
  cpuSeconds,
  endAfter,
  freePort,
  pause,
  type Running,
  rssBytes,
  SERVER_CORE,
  startProcess,
  untilListening,
} from './processes.ts';
import { machineText, type Table, tableParts, tableText, thisMachine, writeResults } from './results.ts';

export interface ReplayOptions {
  readonly scratch: string;
  readonly minutes: number;
  /** Of the published figures; 1 is all of them. */
  readonly scale: number;
  readonly onProgress: (text: string) => void;
}

const PUBLISHED = {
  peers: 2_975_981,
  seeders: 1_014_075,
  swarms: 1_276_252,
  addresses: 441_528,
  announcesPerSecond: 1_500,
};
const DYNO_MIB = 512;
/** Makes a few swarms of thousands and very many of one to three. */
const ZIPF_EXPONENT = 0.8;
const SEED = 2021;
/** A router keeps some connections and sends everybody's announces over them. */
const CONNECTIONS = 100;
const FILL_MINUTES_MAX = 45;
const SAMPLE_MS = 1_000;
/** Prime, so that seeders are strewn over all swarms. */
const STRIDE = 1_000_003;

interface Sample {
  readonly second: number;
  readonly rssBytes: number;
  readonly cpuShare: number;
}

export async function replayDay(options: ReplayOptions): Promise<void> {
  const { scratch, minutes, scale, onProgress } = options;
  endAfter(FILL_MINUTES_MAX + minutes + 10);
  const s3Core = availableParallelism() > 2 ? 2 : CLIENT_CORE;
  const program = fileURLToPath(new URL('s3-server.ts', import.meta.url));
  const s3 = startProcess(process.execPath, ['--import', import.meta.resolve('tsx'), program], {
    core: s3Core,
    isNice: true,
    env: { TMPDIR: scratch },
  });
  const store = await addressFrom(s3);
  const port = await freePort();
  const server = startProcess(process.execPath, [...NODE_FLAGS, MAIN], {
    core: SERVER_CORE,
    env: {
      ...store,
      PORT: String(port),
      HOST: '127.0.0.1',
      TRUST_PROXY: '1',
      MEMORY_AVAILABLE: String(DYNO_MIB),
    },
  });
  await untilListening(server, port);

  const day = new Day(scale);
  const { peers, swarms } = day;
  onProgress(`filling: ${peers} peers in ${swarms} swarms`);
  const fillStartMs = performance.now();
  const cpuAtFill = cpuSeconds(server.pid);
  await fill({
    port,
    requests: peers,
    request: (n) => day.announce(n, { numwant: 0, event: 'started' }),
    msMax: FILL_MINUTES_MAX * 60_000,
    onProgress: (answered) => onProgress(`${answered} peers`),
  });
  const fillSeconds = (performance.now() - fillStartMs) / 1000;
  const fillCpuSeconds = cpuSeconds(server.pid) - cpuAtFill;
  const filled = await getJson(port, '/stats.json');
  if (filled.peers !== peers || filled.swarms !== swarms || filled.seeders !== day.seeders) {
    throw new Error(
      `the tracker holds ${filled.peers} peers (${filled.seeders} seeders) in ${filled.swarms} swarms`,
    );
  }
  const rssFilled = rssBytes(server.pid);
  await pause(2_000);

  const rate = PUBLISHED.announcesPerSecond;
  onProgress(`${minutes} minutes of ${rate} announces a second`);
  const record = new LoadRecord();
  const samples: Sample[] = [];
  const linesBefore = server.output().length;
  const cpuBefore = cpuSeconds(server.pid);
  let cpuAtSample = cpuBefore;
  let sampledMs = performance.now();
  const startMs = sampledMs;
  const sampling = setInterval(() => {
    const nowMs = performance.now();
    const cpu = cpuSeconds(server.pid);
    samples.push({
      second: (nowMs - startMs) / 1000,
      rssBytes: rssBytes(server.pid),
      cpuShare: ((cpu - cpuAtSample) * 1000) / (nowMs - sampledMs),
    });
    cpuAtSample = cpu;
    sampledMs = nowMs;
    const last = record.lastSecond;
    if (last !== undefined && (last.second + 1) % 60 === 0) {
      onProgress(`${(last.second + 1) / 60} minutes, p99 of the last second ${last.p99Ms.toFixed(2)} ms`);
    }
  }, SAMPLE_MS);
  const sent = await sendAtRate({
    connect: () => connect({ port, host: '127.0.0.1', noDelay: true }),
    connections: CONNECTIONS,
    requestsPerSecond: rate,
    durationMs: minutes * 60_000,
    graceMs: 10_000,
    nextRequest: () => day.next(),
    onOutcome: (...outcome) => record.add(...outcome),
    monotonicMs: () => performance.now(),
  }).finally(() => clearInterval(sampling));
  const result = record.result(sent);
  const cpuShare = ((cpuSeconds(server.pid) - cpuBefore) * 1000) / sent.ms;
  const after = await getJson(port, '/stats.json');
  const saves = countSaves(server.output().slice(linesBefore));
  await Promise.all([server.end(), s3.end()]);

  const found = {
    machine: thisMachine(),
    scale,
    minutes,
    store: 's3rver',
    s3SharesTheClientsCore: s3Core === CLIENT_CORE,
    published: PUBLISHED,
    peers,
    swarms,
    seeders: day.seeders,
    fillSeconds,
    fillCpuSeconds,
    rssFilledBytes: rssFilled,
    rssMaxBytes: Math.max(rssFilled, ...samples.map((sample) => sample.rssBytes)),
    cpuShare,
    saves,
    eventLoop: eventLoopOf(after),
    uniqueAddresses: after.uniqueAddresses,
    load: result,
    samples,
  };
  const table = replayTable(found);
  console.log(tableText(table));
  for (const path of writeResults('replay-day', found, page(found, table))) console.log(path);
}

/** The peers of the day: which swarm, which address and port, seeder or not, and who announces next. */
class Day {
  readonly peers: number;
  readonly swarms: number;
  readonly seeders: number;
  readonly #addresses: number;
  readonly #swarmOf: Uint32Array;
  readonly #crowd: Crowd;
  readonly #random = seededRandom(SEED + 1);
  /** Peers that stopped and will be back, oldest first. */
  readonly #away: number[] = [];
  readonly #isAway = new Set<number>();

  constructor(scale: number) {
    const scaled = (count: number): number => Math.max(1, Math.round(count * scale));
    this.peers = scaled(PUBLISHED.peers);
    this.swarms = scaled(PUBLISHED.swarms);
    this.seeders = scaled(PUBLISHED.seeders);
    this.#addresses = scaled(PUBLISHED.addresses);
    this.#crowd = { name: 'day', swarms: this.swarms, peersPerSwarm: 1 };
    // Each swarm has one peer; the others are spread by Zipf's law.
    const random = seededRandom(SEED);
    const zipf = new Zipf(this.swarms, ZIPF_EXPONENT);
    this.#swarmOf = new Uint32Array(this.peers);
    for (let peer = 0; peer < this.peers; peer++) {
      this.#swarmOf[peer] = peer < this.swarms ? peer : zipf.draw(random);
    }
  }

  announce(peer: number, { numwant = 50, event }: { numwant?: number; event?: string } = {}): string {
    const isSeeder = (peer * STRIDE) % this.peers < this.seeders;
    const escaped = escapedHash(infoHash(this.#crowd, this.#swarmOf[peer]!));
    // Peers of one address have different ports, so all differ within their swarm.
    const ofAddress = Math.floor(peer / this.#addresses);
    const shape = { isForwarded: true, numwant, ...(event !== undefined && { event }) };
    return announceRequest(
      escaped,
      2 * ofAddress + (isSeeder ? 0 : 1),
      shape,
      addressOf(peer % this.#addresses),
    );
  }

  /** The next announce of the steady day: mostly a peer that is known; three in a hundred stop and come back. */
  next(): string {
    const drawn = this.#random() % 100;
    if (drawn < 3 && this.#away.length > 0) {
      const peer = this.#away.shift()!;
      this.#isAway.delete(peer);
      return this.announce(peer, { event: 'started' });
    }
    const peer = this.#random() % this.peers;
    if (drawn >= 6 || this.#isAway.has(peer)) {
      if (this.#isAway.delete(peer)) this.#away.splice(this.#away.indexOf(peer), 1);
      return this.announce(peer);
    }
    this.#away.push(peer);
    this.#isAway.add(peer);
    return this.announce(peer, { event: 'stopped' });
  }
}

async function addressFrom(s3: Running): Promise<Record<string, string>> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 50) {
    const line = /^\{.*\}$/m.exec(s3.output())?.[0];
    if (line !== undefined) return JSON.parse(line);
    await pause(50);
  }
  throw new Error(`the S3 server did not start:\n${s3.output()}`);
}

function countSaves(log: string): { snapshots: number; failures: number } {
  return {
    snapshots: log.match(/"message":"snapshot saved/g)?.length ?? 0,
    failures: log.match(/"level":"error"/g)?.length ?? 0,
  };
}

/** Whatever the process says of its event loop; undefined when it says nothing. */
function eventLoopOf(stats: Record<string, unknown>): unknown {
  return Object.entries(stats).find(([name]) => /loop/i.test(name))?.[1];
}

interface Found {
  readonly scale: number;
  readonly minutes: number;
  readonly machine: ReturnType<typeof thisMachine>;
  readonly s3SharesTheClientsCore: boolean;
  readonly peers: number;
  readonly swarms: number;
  readonly seeders: number;
  readonly uniqueAddresses: unknown;
  readonly fillSeconds: number;
  readonly rssFilledBytes: number;
  readonly rssMaxBytes: number;
  readonly cpuShare: number;
  readonly saves: { readonly snapshots: number; readonly failures: number };
  readonly eventLoop: unknown;
  readonly load: LoadResult;
  readonly samples: readonly Sample[];
}

function replayTable(found: Found): Table {
  const { load, saves } = found;
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return {
    title: `The Go tracker’s day of May 2021${found.scale === 1 ? '' : ` at a scale of ${found.scale}: not comparable`}`,
    header: ['', 'published', 'this run'],
    rows: [
      ['peers (seeders)', '2975981 (1014075)', `${found.peers} (${found.seeders})`],
      ['swarms', '1276252', String(found.swarms)],
      ['addresses, as the tracker estimates them', '441528', String(found.uniqueAddresses)],
      ['announces a second', '1000 to 1521', load.perSecond.toFixed(0)],
      ['latency p50', 'under 1 ms', ms(load.latencyMs.p50)],
      ['latency p95', '1 ms', ms(load.latencyMs.p95)],
      ['latency p99', '6 ms', ms(load.latencyMs.p99)],
      ['latency p99.9', '–', ms(load.latencyMs.p999)],
      ['longest', '–', ms(load.latencyMs.max)],
      ['before an announce was sent, p99', '–', ms(load.unsentMs.p99)],
      ['memory, the most', '722 to 791 MB, 210 of it in swap', mib(found.rssMaxBytes)],
      ['memory after the fill', '–', mib(found.rssFilledBytes)],
      ['share of one core', '–', `${(found.cpuShare * 100).toFixed(1)} %`],
      [
        'event loop',
        '–',
        found.eventLoop === undefined ? 'not told by this build' : JSON.stringify(found.eventLoop),
      ],
      ['snapshots saved meanwhile', '–', `${saves.snapshots}, ${saves.failures} errors logged`],
      ['refused, failed, unanswered', '–', `${load.refused}, ${load.failed}, ${load.unanswered}`],
    ],
    notes: [
      `${found.minutes} minutes, after a fill of ${found.fillSeconds.toFixed(0)} s through the same announces. Latency is what the client sees, counted from when each announce was due; what passed before it was sent is in it: the client was late itself, or had no free connection.`,
      ...(found.s3SharesTheClientsCore
        ? [
            'The S3 server shares the client’s core, at the lowest priority: a third core would make the latencies during saves more exact.',
          ]
        : []),
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
    machineText(found.machine, found.scale !== 1),
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
      ...overTime,
      title: 'Share of the server’s core',
      yLabel: '%',
      series: [{ name: 'CPU', points: samples.map((one) => [one.second, one.cpuShare * 100] as const) }],
    }),
  ]);
}
