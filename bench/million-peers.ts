/**
 * What a million peers cost: memory, the event loop during purge and save, the snapshot's size, the time of a
 * save and of a restore.
 *
 *   node --expose-gc --import tsx bench/million-peers.ts [--peers 1000000] [--peers-per-swarm 3] [--store DIRECTORY]
 *
 * Peers come in through the announce path without the socket: query bytes are parsed, the tracker decides, the
 * table stores, the reply is written. Purge, save and restore are the ones that the tracker runs.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Access } from '../src/access/access.ts';
import { createLog } from '../src/log.ts';
import { StoreKeys } from '../src/persistence/format/store-keys.ts';
import { JournalReader } from '../src/persistence/journal/journal-reader.ts';
import { ManifestCache } from '../src/persistence/listing/manifest-cache.ts';
import { NewerObjects } from '../src/persistence/listing/newer-objects.ts';
import { StopMemory } from '../src/persistence/merge/stop-memory.ts';
import { TableTurn } from '../src/persistence/merge/table-turn.ts';
import { Restorer } from '../src/persistence/snapshot/restorer.ts';
import { Saver } from '../src/persistence/snapshot/saver.ts';
import { openStore } from '../src/persistence/store/open-store.ts';
import { announceReplyBytesMax, writeAnnounceReply } from '../src/protocol/announce-reply.ts';
import { parseAnnounceRequest } from '../src/protocol/announce-request.ts';
import { ClientError } from '../src/protocol/client-error.ts';
import { runInSlices } from '../src/slices.ts';
import { Counters } from '../src/stats/counters.ts';
import { SwarmTable } from '../src/swarm/swarm-table.ts';
import { NO_JOURNAL } from '../src/tracker/announce-journal.ts';
import { Tracker } from '../src/tracker/tracker.ts';

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: '1000000' },
    'peers-per-swarm': { type: 'string', default: '3' },
    store: { type: 'string' },
  },
});
const peers = Number(values.peers);
const swarms = Math.max(1, Math.round(peers / Number(values['peers-per-swarm'])));
const folder = values.store ?? mkdtempSync(join(tmpdir(), 'trakx-bench-'));
const PEER_TTL = 3600;
const WARM_UP_ANNOUNCES = 600_000;

const monotonicMs = (): number => performance.now();
let now = Math.floor(Date.now() / 1000);
const nowSeconds = (): number => now;
const log = createLog({ level: 'error', isReadable: false });

/** A fixed seed, so that every run meets the same swarms and addresses. */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) ^ (state >>> 12)) >>> 0;
}

function makeParts() {
  const table = new SwarmTable({
    peersMax: Math.ceil(peers * 1.2) + 10_000,
    swarmsMax: swarms + 20_000,
    hashKey: [random(), random()],
    random,
  });
  const access = new Access({
    mode: 'open',
    hashKey: [random(), random()],
    bannedByEnvironment: [],
    allowedByEnvironment: [],
  });
  const settings = {
    announceIntervalSeconds: 1800,
    announceIntervalJitterSeconds: 180,
    minAnnounceIntervalSeconds: 900,
    numwantDefault: 50,
    numwantMax: 200,
    peerTtlSeconds: PEER_TTL,
    trustProxy: 0,
    allowPrivatePeers: true,
    trustIpParamFrom: [],
  };
  const tracker = new Tracker({
    table,
    access,
    counters: new Counters(),
    journal: NO_JOURNAL,
    settings,
    random,
  });
  return { table, tracker };
}

const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`);
const reply = Buffer.alloc(8192);

/** 32 bits that follow from `n` without looking like it: ids and addresses must not compress better than real ones. */
function mixed(n: number): number {
  const bits = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  return Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d) >>> 0;
}

function peerIdOf(n: number): string {
  return `-TR4050-${(mixed(n) * 4096 + (mixed(n + 1) >>> 20)).toString(36).padStart(12, 'k').slice(-12)}`;
}

/** One announce of peer `n` in one of the swarms, from query bytes to reply bytes. */
function announce(tracker: Tracker, n: number): void {
  const swarm = n % swarms;
  let hash = '';
  for (let at = 0; at < 20; at++) hash += HEX[(Math.imul(swarm + 1, 0x9e3779b1 + 2 * at) >>> 13) & 0xff];
  const query = Buffer.from(
    `info_hash=${hash}&peer_id=${peerIdOf(n)}&port=${1024 + (mixed(n) % 60_000)}` +
      `&uploaded=0&downloaded=0&left=${n % 2}&numwant=50&key=7186ca34&compact=1&event=started`,
    'latin1',
  );
  // A one-to-one mixture of the number, so that no two peers are one.
  const address = Math.imul(n, 0x9e3779b1);
  const source = Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
  const request = parseAnnounceRequest(query, 0, query.length);
  if (request instanceof ClientError) throw new Error(request.failureReason);
  const answer = tracker.announce(request, source, now);
  if (answer instanceof ClientError) throw new Error(answer.failureReason);
  if (announceReplyBytesMax(answer) > reply.length) throw new Error('the reply is too long');
  writeAnnounceReply(answer, reply, 0);
}

function rssBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

/** Runs the work beside a histogram of the event loop's delay. */
async function watched<T>(work: () => Promise<T>) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.cpuUsage();
  const startMs = monotonicMs();
  delay.enable();
  const result = await work();
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  return {
    result,
    ms: monotonicMs() - startMs,
    cpuMs: (user + system) / 1000,
    delayMaxMs: delay.max / 1e6,
    delayP999Ms: delay.percentile(99.9) / 1e6,
  };
}

const report: (readonly [string, string])[] = [];
const print = (what: string, figure: string): void => {
  report.push([what, figure]);
  console.log(`${what.padEnd(44)} ${figure}`);
};
const timing = (one: { ms: number; cpuMs: number; delayMaxMs: number; delayP999Ms: number }): string =>
  `${one.ms.toFixed(0)} ms, CPU ${one.cpuMs.toFixed(0)} ms, loop delay p99.9 ${one.delayP999Ms.toFixed(1)} ms, longest ${one.delayMaxMs.toFixed(1)} ms`;

print('Node', process.version);
print('peers / swarms', `${peers} / ${swarms}`);

// The code is warm and its garbage gone before memory is looked at.
{
  const warm = makeParts();
  for (let n = 0; n < WARM_UP_ANNOUNCES; n++) announce(warm.tracker, n);
}
const { table, tracker } = makeParts();
const emptyBytes = rssBytes();
const fillStart = process.cpuUsage();
for (let n = 0; n < peers; n++) {
  announce(tracker, n);
  if (n % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
}
const fill = process.cpuUsage(fillStart);
const fullBytes = rssBytes();
if (table.totals.peers !== peers) throw new Error(`${table.totals.peers} peers are in the table`);
print('CPU per announce, query bytes to reply bytes', `${((fill.user + fill.system) / peers).toFixed(2)} µs`);
print('RSS before / after', `${(emptyBytes / 2 ** 20).toFixed(0)} / ${(fullBytes / 2 ** 20).toFixed(0)} MiB`);
print('RSS per peer', `${((fullBytes - emptyBytes) / peers).toFixed(1)} bytes`);
print('table, by its own count, per peer', `${(table.bytesInUse / peers).toFixed(1)} bytes`);

const idle = await watched(() => new Promise((resolve) => setTimeout(resolve, 2000)));
print('idle for 2 s, for comparison', timing(idle));
const purgeNone = table.purge(now, PEER_TTL);
print(
  'purge that removes nobody',
  timing(await watched(() => runInSlices(() => purgeNone.step(), { monotonicMs }))),
);

const store = await openStore({ kind: 'directory', path: folder }, { nowSeconds });
const keys = new StoreKeys([], randomBytes);
const turn = new TableTurn();
const restoreInto = (into: SwarmTable) => {
  const common = {
    store,
    table: into,
    keys,
    newer: new NewerObjects(),
    stops: new StopMemory({ hashKey: [random(), random()], journalSeconds: 0 }),
    isServed: () => true,
    peerTtlSeconds: PEER_TTL,
    addresses: new Counters().addresses,
    nowSeconds,
    monotonicMs,
    log,
  };
  return new Restorer({
    ...common,
    journal: new JournalReader({ ...common, boot: 'bench001', turn }),
    whenServedIsKnown: Promise.resolve(),
  });
};
const first = restoreInto(table);
await first.run(new AbortController().signal);
const saver = new Saver({
  store,
  table,
  restore: first,
  keys,
  journal: { cut: () => 0, stored: () => Promise.resolve(), lostSequence: 0 },
  others: { vector: new Map(), isDamaged: () => false },
  follow: (signal) => store.list('journal/', signal),
  manifests: new ManifestCache(store, keys),
  turn,
  journalSeconds: 0,
  boot: 'bench000',
  keep: 1,
  nowSeconds,
  monotonicMs,
  log,
});
const save = await watched(() => saver.save('signal'));
if (save.result.kind !== 'saved') throw new Error(`not saved: ${save.result.kind}`);
print('save', timing(save));
print(
  'snapshot',
  `${(save.result.bytes / 2 ** 20).toFixed(1)} MiB, ${(save.result.bytes / peers).toFixed(1)} bytes per peer`,
);

const again = makeParts();
const restorer = restoreInto(again.table);
const restore = await watched(() => restorer.run(new AbortController().signal));
if (again.table.totals.peers !== peers) throw new Error(`${again.table.totals.peers} peers were restored`);
print('restore', timing(restore));

now += PEER_TTL + 1;
const purgeAll = table.purge(now, PEER_TTL);
print(
  'purge that removes everybody',
  timing(await watched(() => runInSlices(() => purgeAll.step(), { monotonicMs }))),
);
if (table.totals.peers !== 0) throw new Error('peers are left');
if (values.store === undefined) rmSync(folder, { recursive: true });
