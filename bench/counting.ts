/**
 * What counting costs an announce. The build is copied and every statement that counts is taken out of the copy:
 * plain additions to a counter, those by client, the sketch of unique addresses, and the latency of announces with its looks at the
 * clock. Both builds run side by side with the same peers
 * and take turns under the same load, the other one stopped. Production has no switch for it and pays nothing.
 */
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { heading, lineChart } from '../src/cli/line-chart.ts';
import { NODE_FLAGS } from '../src/cli/node-flags.ts';
import { UniqueAddresses } from '../src/stats/unique-addresses.ts';
import { seededRandom } from '../test/builders/random.ts';
import { median } from './announce-cost.ts';
import { IS_BUILT, MAIN, type Server } from './contenders.ts';
import { getJson } from './fill.ts';
import { announceCrowd } from './memory.ts';
import type { Crowd } from './mix.ts';
import { cpuSeconds, freePort, SERVER_CORE, startProcess, untilListening } from './processes.ts';
import { reached, type Table } from './results.ts';
import { NEVER } from './service.ts';
import { runWrk, writeHashes } from './wrk.ts';

export interface CountingOptions {
  readonly scratch: string;
  readonly swarms: number;
  /** How often both are started anew: no two processes are compiled alike by V8. */
  readonly starts: number;
  readonly roundsEach: number;
  readonly turnSeconds: number;
  readonly warmUpSeconds: number;
  readonly onProgress: (text: string) => void;
}

export interface CountingResult {
  readonly statementsRemoved: number;
  /** µs of CPU per announce; index by index of the same round. */
  readonly counting: readonly number[];
  readonly notCounting: readonly number[];
  readonly sketchNanoseconds: number;
}

const PEERS_PER_SWARM = 100;
/** `this.#counters.hits += 1;`, `counters.addresses.add(address, now);`, `counters.announceLatency.record(seconds);` */
const COUNTING =
  /(?:#?\b\w+\.)*#?\bcounters\.(?:\w+ \+= [\w.]+|(?:addresses\.add|clients\.count|announceLatency\.record)\([^;`\n]+\));/g;
/** `this.#works.recordLatency(readMs);` */
const RECORDING = /(?:#?\b\w+\.)+recordLatency\([^;`\n]+\);/g;
/** `const readMs = this.#works.monotonicMs();` */
const LOOKING = /(?<=\bconst readMs = )(?:#?\b\w+\.)*monotonicMs\(\);/g;
/** Fewer would mean that the patterns no longer fit the code. */
const STATEMENTS_MIN = { counting: 15, recording: 2, looking: 2 };
const SHARE_MAX = 0.02;
const SKETCH_ADDS = 3_000_000;

export async function countingCost(options: CountingOptions): Promise<CountingResult> {
  const { scratch, starts, roundsEach, turnSeconds, warmUpSeconds, onProgress } = options;
  const crowd: Crowd = { name: 'counting', swarms: options.swarms, peersPerSwarm: PEERS_PER_SWARM };
  const hashes = writeHashes(scratch, crowd);
  if (!IS_BUILT) throw new Error('it is the build whose statements are taken out: leave TRACKER_MAIN away');
  const { main: silent, statementsRemoved } = buildWithoutCounting(scratch);
  const counting: number[] = [];
  const notCounting: number[] = [];
  const wrk = {
    hashes,
    peersPerSwarm: PEERS_PER_SWARM,
    kind: 'announce',
    isForwarded: true,
    isFresh: false,
  } as const;

  const start = async (main: string, name: string): Promise<Server> => {
    const port = await freePort();
    const running = startProcess(process.execPath, [...NODE_FLAGS, main], {
      core: SERVER_CORE,
      env: {
        PORT: String(port),
        HOST: '127.0.0.1',
        TRUST_PROXY: '1',
        STORE_URL: `file:${join(scratch, name)}`,
        SNAPSHOT_CRON: NEVER,
        LOG_LEVEL: 'warn',
      },
    });
    const server = { ...running, port };
    await untilListening(server, port);
    await announceCrowd(
      { isForwarded: true, keepsConnections: true },
      server,
      crowd,
      crowd.swarms * PEERS_PER_SWARM,
    );
    await runWrk({ ...wrk, port, seconds: warmUpSeconds, seed: 1 });
    server.signal('SIGSTOP');
    return server;
  };
  const turn = async (server: Server, seed: number): Promise<number> => {
    server.signal('SIGCONT');
    const before = cpuSeconds(server.pid);
    const { requests } = await runWrk({ ...wrk, port: server.port, seconds: turnSeconds, seed });
    const cpu = cpuSeconds(server.pid) - before;
    server.signal('SIGSTOP');
    return (cpu * 1e6) / requests;
  };

  for (let number = 0; number < starts; number++) {
    onProgress(`counting: start ${number + 1} of ${starts}, ${roundsEach} rounds`);
    const on = await start(MAIN, `counting-${number}`);
    const off = await start(silent, `not-counting-${number}`);
    for (let round = 0; round < roundsEach; round++) {
      const seed = 10 + round;
      // Who is first has the colder cache: each in turn.
      if (round % 2 === 0) counting.push(await turn(on, seed));
      notCounting.push(await turn(off, seed));
      if (round % 2 === 1) counting.push(await turn(on, seed));
    }
    await mustCount(on, true);
    await mustCount(off, false);
    await Promise.all([on.end(), off.end()]);
  }
  return { statementsRemoved, counting, notCounting, sketchNanoseconds: sketchNanoseconds() };
}

/** A copy of the build beside the same packages, whose counting statements are empty ones. */
function buildWithoutCounting(scratch: string): { main: string; statementsRemoved: number } {
  const built = dirname(MAIN);
  const root = dirname(built);
  const folder = join(scratch, 'not-counting');
  const copy = join(folder, 'dist');
  cpSync(built, copy, { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const removed = { counting: 0, recording: 0, looking: 0 };
  const take =
    (kind: keyof typeof removed, rest: string): (() => string) =>
    () => {
      removed[kind] += 1;
      return rest;
    };
  for (const name of readdirSync(copy, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue;
    const path = join(copy, name);
    const source = readFileSync(path, 'utf8');
    const changed = source
      .replace(COUNTING, take('counting', ';'))
      .replace(RECORDING, take('recording', ';'))
      .replace(LOOKING, take('looking', '0;'));
    if (changed !== source) writeFileSync(path, changed);
  }
  for (const kind of ['counting', 'recording', 'looking'] as const) {
    if (removed[kind] < STATEMENTS_MIN[kind])
      throw new Error(`only ${removed[kind]} statements for ${kind} were found in ${built}`);
  }
  const { counting, recording, looking } = removed;
  return { main: join(copy, 'main.js'), statementsRemoved: counting + recording + looking };
}

async function mustCount(server: Server, isCounting: boolean): Promise<void> {
  server.signal('SIGCONT');
  const stats = await getJson(server.port, '/stats.json');
  const { announces } = stats.requests as Record<string, number>;
  if (announces! > 0 !== isCounting || Number(stats.uniqueAddresses) > 0 !== isCounting) {
    throw new Error(`${announces} announces and ${stats.uniqueAddresses} addresses were counted`);
  }
}

/** The sketch alone, in this process, over addresses that all differ. */
function sketchNanoseconds(): number {
  const sketch = new UniqueAddresses({ windowSeconds: 3_600, hashKey: [1, 2] });
  const random = seededRandom(7);
  const addresses = Array.from({ length: 65_536 }, () => {
    const word = random();
    return Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word);
  });
  const add = (count: number): void => {
    for (let n = 0; n < count; n++) sketch.add(addresses[n & 65_535]!, 7_200);
  };
  add(SKETCH_ADDS / 3);
  const before = process.cpuUsage();
  add(SKETCH_ADDS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / SKETCH_ADDS;
}

export function countingTable(result: CountingResult): Table {
  const { counting, notCounting, statementsRemoved, sketchNanoseconds: sketch } = result;
  const ratios = counting.map((microseconds, round) => microseconds / notCounting[round]!);
  const sorted = [...ratios].sort((one, other) => one - other);
  const quartile = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(3);
  const ratio = median(ratios);
  const isReached = ratio - 1 < SHARE_MAX;
  return {
    title: `What counting costs an announce, median of ${counting.length} interleaved rounds`,
    header: ['', 'µs CPU'],
    rows: [
      ['everything counted, as it is deployed', median(counting).toFixed(2)],
      [`without: ${statementsRemoved} statements taken out`, median(notCounting).toFixed(2)],
      [
        'ratio, median of the rounds (half of them)',
        `${ratio.toFixed(3)} (${quartile(0.25)} to ${quartile(0.75)})`,
      ],
      ['of it, the sketch of unique addresses', (sketch / 1_000).toFixed(3)],
    ],
    notes: [
      `Counting costs ${((ratio - 1) * 100).toFixed(1)} % (to reach: under ${SHARE_MAX * 100} %; ${reached(isReached)}). Connections are kept: where each announce opens one, the same statements are a smaller part. Below zero is noise. The sketch’s own time was measured alone; it is ${(sketch / 10 / median(counting) || 0).toFixed(2)} % of an announce, and the additions beside it are single instructions.`,
    ],
  };
}

export function countingPlots({ counting, notCounting }: CountingResult): string[] {
  const points = (all: readonly number[]) => all.map((value, round) => [round + 1, value] as const);
  return [
    heading('Counting'),
    lineChart({
      title: 'CPU per announce, round by round',
      xLabel: 'round',
      yLabel: 'µs CPU',
      series: [
        { name: 'everything counted', points: points(counting) },
        { name: 'nothing counted', points: points(notCounting) },
      ],
    }),
  ];
}
