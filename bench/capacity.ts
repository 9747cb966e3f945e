/**
 * How many peers a dyno carries: a real process with a dyno's memory is filled through its announce path, then made
 * to save under a light load, and its memory is read before, at the peak of, and after the save.
 *
 * The dyno is simulated: the tracker is told of its memory as the platform tells it (MEMORY_AVAILABLE), runs with the
 * flags that it is deployed with, and what counts is whether its RSS stays below. The kernel's own high-water mark
 * (VmHWM) is reset before the save, so no peak falls between two looks.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../src/cli/daemon/node-flags.ts';
import { LoadRecord, type LoadResult } from '../src/cli/stress/stress-record.ts';
import { sendAtRate } from '../src/cli/stress/stress-sender.ts';
import { MAIN } from './contenders.ts';
import { fill, getJson } from './fill.ts';
import { addressOf, announceRequest, type Crowd, escapedHash, infoHash } from './mix.ts';
import {
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
import { type Table, tableText } from './results.ts';

export interface CapacityOptions {
  readonly scratch: string;
  readonly peers: number;
  readonly swarms: number;
  /** The share of peers with an IPv6 address. */
  readonly ipv6Share: number;
  readonly dynoMib: number;
  readonly onProgress: (text: string) => void;
}

const FILL_MINUTES_MAX = 40;
const SAVE_MINUTES_MAX = 5;
/** While it saves: what a tracker of this size is hardly ever below. */
const LOAD_PER_SECOND = 500;
const CONNECTIONS = 50;
const QUIET_SECONDS = 10;
const NEVER = '0 0 1 1 *';
const LOOP_DELAY = fileURLToPath(new URL('servers/loop-delay.mjs', import.meta.url));

interface Phase {
  readonly name: string;
  readonly rssBytes: number;
  readonly rssPeakBytes: number;
  readonly loop?: Readonly<Record<'p50' | 'p99' | 'p999' | 'max', number>>;
  readonly load?: LoadResult;
  readonly cpuShare?: number;
}

export async function capacity(options: CapacityOptions): Promise<void> {
  const { scratch, peers, swarms, ipv6Share, dynoMib, onProgress } = options;
  endAfter(FILL_MINUTES_MAX + SAVE_MINUTES_MAX + 5);
  const store = join(scratch, 'store');
  const port = await freePort();
  const server = startProcess(process.execPath, [...NODE_FLAGS, '--import', LOOP_DELAY, MAIN], {
    core: SERVER_CORE,
    env: {
      PORT: String(port),
      HOST: '127.0.0.1',
      TRUST_PROXY: '1',
      STORE_URL: `file:${store}`,
      SNAPSHOT_CRON: NEVER,
      MEMORY_AVAILABLE: String(dynoMib),
    },
  });
  await untilListening(server, port);
  const { peersMax, swarmsMax } = (await getJson(port, '/stats.json')).table as Record<string, number>;
  onProgress(`${dynoMib} MB of memory make MAX_PEERS ${peersMax}, swarms at most ${swarmsMax}`);
  const phases: Phase[] = [phaseOf('idle', server)];

  const crowd = new CapacityCrowd(swarms, ipv6Share);
  const cpuBefore = cpuSeconds(server.pid);
  await fill({
    port,
    requests: peers,
    request: (peer) => crowd.announce(peer, 0),
    msMax: FILL_MINUTES_MAX * 60_000,
    onProgress: (answered) => {
      if (answered % 500_000 === 0) onProgress(`${answered} peers, ${mib(rssBytes(server.pid))}`);
    },
  });
  const fillMicroseconds = ((cpuSeconds(server.pid) - cpuBefore) * 1e6) / peers;
  const stats = await getJson(port, '/stats.json');
  await pause(3_000);
  phases.push(phaseOf('filled', server));

  let next = 1;
  const loaded = async (name: string, until: () => boolean): Promise<void> => {
    const record = new LoadRecord();
    const ending = new AbortController();
    await takeLoopDelay(server);
    resetPeak(server.pid);
    const cpu = cpuSeconds(server.pid);
    const startMs = performance.now();
    const sending = sendAtRate({
      connect: () => connect({ port, host: '127.0.0.1', noDelay: true }),
      connections: CONNECTIONS,
      requestsPerSecond: LOAD_PER_SECOND,
      durationMs: SAVE_MINUTES_MAX * 60_000,
      graceMs: 5_000,
      nextRequest: () => {
        next = (Math.imul(next, 1_664_525) + 1_013_904_223) >>> 0;
        return crowd.announce(next % peers, 50);
      },
      onOutcome: (...outcome) => record.add(...outcome),
      monotonicMs: () => performance.now(),
      signal: ending.signal,
    });
    while (!until()) await pause(50);
    const cpuShare = ((cpuSeconds(server.pid) - cpu) * 1000) / (performance.now() - startMs);
    const loop = await takeLoopDelay(server);
    ending.abort();
    phases.push({ ...phaseOf(name, server), loop, load: record.result(await sending), cpuShare });
  };
  const after = (seconds: number): (() => boolean) => {
    const endMs = performance.now() + seconds * 1000;
    return () => performance.now() > endMs;
  };
  await loaded('under load', after(QUIET_SECONDS));
  const saveStartMs = performance.now();
  process.kill(server.pid, 'SIGUSR1');
  const saveEndMs = saveStartMs + SAVE_MINUTES_MAX * 60_000;
  await loaded('saving', () => {
    if (performance.now() > saveEndMs) throw new Error(`no snapshot was saved:\n${server.output()}`);
    return isSaved(store);
  });
  const saveSeconds = (performance.now() - saveStartMs) / 1000;
  await loaded('after the save', after(QUIET_SECONDS));
  const log = server.output();
  await server.end();

  const held = `${stats.peers} peers in ${stats.swarms} swarms, ${stats.peersIpv6} of them IPv6`;
  console.log(
    tableText(tableOf(phases, held, { dynoMib, peersMax: peersMax!, fillMicroseconds, saveSeconds })),
  );
  console.log(/^.*"snapshot saved".*$/m.exec(log)?.[0] ?? log);
  const peak = Math.max(...phases.map(({ rssPeakBytes }) => rssPeakBytes));
  if (stats.peers !== peers || stats.swarms !== Math.min(peers, swarms)) throw new Error(`it holds ${held}`);
  if (peak > dynoMib * 2 ** 20) throw new Error(`${mib(peak)} at the peak: more than the dyno has`);
}

/** Peers with addresses of their own, dealt round the swarms one after the other. */
class CapacityCrowd {
  readonly #crowd: Crowd;
  readonly #ipv6Share: number;

  constructor(swarms: number, ipv6Share: number) {
    this.#crowd = { name: 'capacity', swarms, peersPerSwarm: 1 };
    this.#ipv6Share = ipv6Share;
  }

  announce(peer: number, numwant: number): string {
    const escaped = escapedHash(infoHash(this.#crowd, peer % this.#crowd.swarms));
    // Strewn over all swarms, in the share wanted.
    const isIpv6 = Math.floor((peer + 1) * this.#ipv6Share) > Math.floor(peer * this.#ipv6Share);
    const address = isIpv6
      ? `2a00::${(peer >>> 16).toString(16)}:${(peer & 0xffff).toString(16)}`
      : addressOf(peer);
    return announceRequest(escaped, peer, { isForwarded: true, numwant }, address);
  }
}

function phaseOf(name: string, { pid }: Running): Phase {
  return { name, rssBytes: rssBytes(pid), rssPeakBytes: peakBytes(pid) };
}

function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}

/** The peak is from now on counted anew (proc(5), clear_refs). */
function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** What servers/loop-delay.mjs tells of the time since it was last asked, in milliseconds. */
async function takeLoopDelay(server: Running): Promise<NonNullable<Phase['loop']>> {
  const told = (): string[] => server.output().match(/^LOOP .*$/gm) ?? [];
  const before = told().length;
  process.kill(server.pid, 'SIGUSR2');
  while (told().length === before) await pause(5);
  return JSON.parse(told().at(-1)!.slice('LOOP '.length));
}

/** Whether a snapshot is whole: its manifest is written last. */
function isSaved(store: string): boolean {
  const folder = join(store, 'snapshots');
  return existsSync(folder) && readdirSync(folder).some((name) => existsSync(join(folder, name, 'manifest')));
}

interface Figures {
  readonly dynoMib: number;
  readonly peersMax: number;
  readonly fillMicroseconds: number;
  readonly saveSeconds: number;
}

function tableOf(phases: readonly Phase[], held: string, figures: Figures): Table {
  const ms = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));
  return {
    title: `${held}, on ${figures.dynoMib} MB`,
    header: [
      ...[
        '',
        'RSS',
        'peak RSS',
        'loop delay p99 ms',
        'p99.9',
        'max',
        'seen by clients p99 ms',
        'p99.9',
        'CPU',
      ],
    ],
    rows: phases.map(({ name, rssBytes: rss, rssPeakBytes, loop, load, cpuShare }) => [
      ...[name, mib(rss), mib(rssPeakBytes), ms(loop?.p99), ms(loop?.p999), ms(loop?.max)],
      ...[ms(load?.latencyMs.p99), ms(load?.latencyMs.p999)],
      cpuShare === undefined ? '–' : `${(cpuShare * 100).toFixed(1)} %`,
    ]),
    notes: [
      `MAX_PEERS ${figures.peersMax}; flags ${NODE_FLAGS.join(' ')}. The fill cost ${figures.fillMicroseconds.toFixed(1)} µs CPU an announce, the save took ${figures.saveSeconds.toFixed(1)} s. ${LOAD_PER_SECOND} announces a second in the last three rows.`,
    ],
  };
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
