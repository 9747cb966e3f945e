// SIGUSR1 means "save now". Until somebody listens for it, it opens Node's inspector: so this is the first line,
// and the imports follow it.
let saveNow = (): void => {};
process.on('SIGUSR1', () => saveNow());

/*
 * The tracker, put together: configuration, store, table, restore, port, schedules, signals. Here alone every
 * part is known, the clock is read and randomness drawn.
 */
const { randomBytes } = await import('node:crypto');
const { readFileSync } = await import('node:fs');
const { monitorEventLoopDelay } = await import('node:perf_hooks');
const { Access } = await import('./access/access.ts');
const { TakedownCounts } = await import('./access/takedown-counts.ts');
const { describeProblem, isConfig, loadConfig } = await import('./config/config.ts');
const { nearMisses } = await import('./config/near-misses.ts');
const { thisMachine } = await import('./config/system.ts');
const { adminPageRoutes } = await import('./http/admin/admin-page.ts');
const { adminRoutes } = await import('./http/admin/admin-routes.ts');
const { Answers } = await import('./http/answers.ts');
const { createApp } = await import('./http/app.ts');
const { ClientAddresses } = await import('./http/client-address.ts');
const { ClientNumbers } = await import('./http/client-numbers.ts');
const { healthRoutes } = await import('./http/stats/health-routes.ts');
const { Assets, assetRoutes } = await import('./http/pages/assets.ts');
const { PageFrame } = await import('./http/pages/page.ts');
const { LiveEvents } = await import('./http/stats/live-events.ts');
const { liveRoutes } = await import('./http/stats/live-routes.ts');
const { pageRoutes } = await import('./http/pages/page-routes.ts');
const { youRoutes } = await import('./http/pages/you-routes.ts');
const { ProxyWarnings } = await import('./http/proxy-warnings.ts');
const { HttpServer } = await import('./http/server.ts');
const { metricsRoutes } = await import('./http/stats/metrics-routes.ts');
const { statsRoutes } = await import('./http/stats/stats-routes.ts');
const { createLog, errorFields } = await import('./log.ts');
const { AccessLog } = await import('./persistence/access/access-log.ts');
const { GuardedStore } = await import('./persistence/format/guarded-store.ts');
const { Journal } = await import('./persistence/journal/journal.ts');
const { JournalFollower } = await import('./persistence/journal/journal-follower.ts');
const { JournalReader } = await import('./persistence/journal/journal-reader.ts');
const { ManifestCache } = await import('./persistence/listing/manifest-cache.ts');
const { NewerObjects } = await import('./persistence/listing/newer-objects.ts');
const { openStore } = await import('./persistence/store/open-store.ts');
const { Restorer } = await import('./persistence/snapshot/restorer.ts');
const { pauseMs } = await import('./persistence/store/retry-pause.ts');
const { Saver } = await import('./persistence/snapshot/saver.ts');
const { StoreKeys } = await import('./persistence/format/store-keys.ts');
const { HistoryRestorer } = await import('./persistence/merge/history-restorer.ts');
const { StopMemory } = await import('./persistence/merge/stop-memory.ts');
const { TableTurn } = await import('./persistence/merge/table-turn.ts');
const { WatchedStore } = await import('./persistence/store/watched-store.ts');
const { readGauges, readRestore } = await import('./readings.ts');
const { Schedules } = await import('./schedules.ts');
const { runInSlices } = await import('./slices.ts');
const { BUSIEST_SWARMS, BusiestSwarms } = await import('./stats/busiest-swarms.ts');
const { Counters } = await import('./stats/counters.ts');
const { EventLoopDelay } = await import('./stats/event-loop-delay.ts');
const { HistogramWindow } = await import('./stats/histogram-window.ts');
const { History, pointDocument } = await import('./stats/history.ts');
const { MinutePoints } = await import('./stats/minute-points.ts');
const { Rates } = await import('./stats/rates.ts');
const { EPHEMERAL_DISK_WARNING, liveReport } = await import('./stats/stats-report.ts');
const { SwarmTable } = await import('./swarm/swarm-table.ts');
const { timeLimit } = await import('./time-limit.ts');
const { PeerAddresses } = await import('./tracker/peer-address.ts');
const { Tracker } = await import('./tracker/tracker.ts');

import type { Gauges } from './stats/gauges.ts';

/** What a process that started this one over a channel hears from it. */
type TrackerMessage = { readonly state: 'waiting' } | { readonly state: 'listening'; readonly port: number };

/** How long the port stays closed for the access lists (rule D-R1). */
const ACCESS_WAIT_MS = 3_000;
/** Heroku kills 30 s after SIGTERM: by then all answers are given and all calls to the store have ended. */
const DRAIN_IDLE_MS = 1_000;
const DRAIN_MS_MAX = 8_000;
const STOP_STORE_MS_MAX = 25_000;
/** How long an uncaught error leaves to the journal. */
const CRASH_MS_MAX = 5_000;
/** Without a journal of its own a tracker still looks for what others have changed. */
const FOLLOW_SECONDS = 60;
const SAVE_SPREAD_MS = 30_000;
/** How often a successor tries the port, and for how long: its predecessor has 30 s to stop, and leaves the port at once. */
const SUCCEED_POLL_MS = 5;
const SUCCEED_MS_MAX = 60_000;
/** A purge is due at the latest after this, whatever PURGE_CRON says: the table tells no older ages apart. */
const PURGE_SECONDS_MAX = 900;
/** Each sample wakes the process: 50 a second are 3,000 in a minute's window and cost an idle one about 0.35 % of a core. */
const LOOP_SAMPLE_MS = 20;

// --- configuration

const loaded = loadConfig(process.env, thisMachine());
if (!isConfig(loaded)) {
  for (const problem of loaded) process.stderr.write(`${describeProblem(problem)}\n`);
  process.exit(1);
}
const config = loaded;
const startedMs = performance.timeOrigin;
/** Runs forward only: a step of the machine's clock must not age every peer at once. */
const nowSeconds = (): number => Math.floor((startedMs + performance.now()) / 1000);
const monotonicMs = (): number => performance.now();
const startedSeconds = nowSeconds();
const random = (): number => (Math.random() * 0x1_0000_0000) >>> 0;
const hashKey = [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()] as const;
const boot = randomBytes(8).toString('hex');
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const log = createLog({ level: config.logLevel, isReadable: config.isLogReadable });
// Whoever read the log may go away (`| tee` at a Ctrl-C); that must not keep the tracker from saving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
for (const warning of nearMisses(process.env)) log.warn(warning);
if (config.platform.losesDisk && config.store.kind === 'directory') log.warn(EPHEMERAL_DISK_WARNING);

process.on('uncaughtException', (error) => {
  log.error('uncaught error: exiting without a snapshot', errorFields(error, true));
  void crash();
});

/** What is heard from now on would be lost, so nobody is answered any more; what was heard is written. */
let isCrashing = false;
let writeJournal = (): Promise<void> => Promise.resolve();
async function crash(): Promise<void> {
  if (isCrashing) return;
  isCrashing = true;
  setTimeout(() => process.exit(1), CRASH_MS_MAX);
  await writeJournal();
  process.exit(1);
}

// --- the table, and who may be in it

const table = makeTable();
const access = new Access({
  mode: config.accessMode,
  hashKey,
  bannedByEnvironment: config.bannedHashes,
  allowedByEnvironment: config.allowedHashes,
});
const takedowns = new TakedownCounts(access.bans, config.bannedHashes.length);
const counters = new Counters({ addressWindowSeconds: config.peerTtlSeconds, hashKey });
const history = new History();

// --- the store

const wallSeconds = (): number => Math.floor(Date.now() / 1000);
const keys = new StoreKeys(config.storeKeys, randomBytes);
const driver = await openStore(config.store, { nowSeconds, wallSeconds });
const watched = new WatchedStore(driver, { log, nowSeconds, monotonicMs });
const store = new GuardedStore(watched, keys);
const newer = new NewerObjects();
const stops = new StopMemory({ hashKey, journalSeconds: config.journalSeconds });
const accessLog = new AccessLog({
  store,
  newer,
  keys,
  access,
  boot,
  dropSwarm: (infoHash) => table.drop(infoHash),
  nowSeconds,
  monotonicMs,
  log,
});
const stored = {
  store,
  newer,
  keys,
  table,
  stops,
  boot,
  turn: new TableTurn(),
  manifests: new ManifestCache(store, keys),
  isServed: (infoHash: Uint8Array) => access.isServed(infoHash),
  peerTtlSeconds: config.peerTtlSeconds,
  addresses: counters.addresses,
  nowSeconds,
  monotonicMs,
  log,
};
const { journalSeconds } = config;
const journal = new Journal({ ...stored, history, intervalSeconds: journalSeconds });
const others = new JournalReader(stored);
const follower = new JournalFollower({
  ...stored,
  journal: others,
  intervalSeconds: journalSeconds,
  refreshAccess: (signal) => accessLog.refresh(signal),
});
const restorer = new Restorer({
  ...stored,
  journal: others,
  history: new HistoryRestorer({ history, keys, nowSeconds, monotonicMs }),
  whenServedIsKnown: config.accessMode === 'allowlist' ? accessLog.whenLoaded : Promise.resolve(),
});
const saver = new Saver({
  ...stored,
  history,
  journal,
  others,
  follow: (signal) => follower.follow(signal),
  restore: restorer,
  journalSeconds,
  keep: config.snapshotKeep,
});
const tracker = new Tracker({ table, access, counters, journal, settings: config, random });

// --- the port

const rates = new Rates(counters, monotonicMs() / 1000);
const loopHistogram = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS });
const loopDelay = new EventLoopDelay({
  histogram: loopHistogram,
  resolutionMs: LOOP_SAMPLE_MS,
  startedSeconds: monotonicMs() / 1000,
});
const announceWindow = new HistogramWindow(counters.announceLatency, monotonicMs() / 1000);
const minutes = new MinutePoints(startedSeconds);
const busiest = new BusiestSwarms({
  isServed: (infoHash) => access.isServed(infoHash),
  showsHashes: config.showsHashes,
});
const events = new LiveEvents({ report: () => liveReport(gauges()) });
const proxyWarnings = new ProxyWarnings({ trustProxy: config.trustProxy, log });
const assets = new Assets();
const frame = new PageFrame(assets);
const { domainName, hasBothSchemes } = config.platform;
const announceUrls = { ...config, domainName, hasBothSchemes };
const clientAddresses = new ClientAddresses({ trustProxy: config.trustProxy, warnings: proxyWarnings });
const answers = new Answers({
  tracker,
  clientAddresses,
  counters,
  nowSeconds,
  log,
});
const server = new HttpServer({
  listener: createApp({
    answers,
    counters,
    scrapeHashesMax: config.scrapeHashesMax,
    monotonicMs,
    routers: [
      healthRoutes(() => readRestore(restorer)),
      assetRoutes(assets),
      statsRoutes(frame, gauges),
      metricsRoutes(gauges),
      liveRoutes({
        history,
        events,
        clients: new ClientNumbers({ clientAddresses, hashKey }),
        nowSeconds,
      }),
      pageRoutes(frame, announceUrls),
      youRoutes(frame, {
        clientAddresses,
        peerAddresses: new PeerAddresses(config),
        access,
        tracker,
        settings: announceUrls,
      }),
      adminRoutes({
        adminToken: config.adminToken,
        page: adminPageRoutes(frame, announceUrls),
        access,
        accessLog,
        tracker,
        saver,
        gauges,
        isRestored: () => restorer.isSettled,
        clientAddresses,
        storeAddress: store.address,
        boot,
        hashKey,
        nowSeconds,
        monotonicMs,
        log,
      }),
    ],
  }),
  lane: config.hasExpressLane
    ? { answers, scrapeHashesMax: config.scrapeHashesMax, nowSeconds, monotonicMs }
    : undefined,
  trustProxy: config.trustProxy,
  connectionsMax: config.connectionsMax,
  counters,
});

// --- signals

const ending = new AbortController();
writeJournal = async () => {
  ending.abort();
  await server.drain({ idleMs: 0, msMax: 0 });
  await journal.close(timeLimit(CRASH_MS_MAX).signal);
};
let isStopping = false;
saveNow = () => void saver.save('signal');
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
let interrupts = 0;
process.on('SIGINT', () => {
  interrupts += 1;
  if (interrupts > 1) {
    log.warn('interrupted again: exiting at once, what was not saved is lost');
    process.exit(130);
  }
  void stop('SIGINT');
});

/** Answers what is under way, saves, and ends the process within the platform's 30 s whatever the store does. */
async function stop(signal: string): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const { signal: deadline } = timeLimit(STOP_STORE_MS_MAX);
  log.info('stopping', { signal, connections: server.connections });
  ending.abort();
  events.end();
  await server.drain({ idleMs: DRAIN_IDLE_MS, msMax: DRAIN_MS_MAX });
  const rest = minutes.takeRest(gauges());
  if (rest !== undefined) history.add(rest);
  // The journal first: once it is stored nothing is lost, whatever becomes of the snapshot.
  await Promise.all([accessLog.close(deadline), journal.close(deadline)]);
  await saver.save('shutdown', deadline);
  log.info('stopped');
  process.exit(0);
}

// --- from here on it serves

log.info('starting', {
  version,
  release: config.platform.release,
  boot,
  node: process.version,
  store: store.address,
  peersMax: table.peersMax,
  trustProxy: config.trustProxy ?? null,
});
await accessLog.load(timeLimit(ACCESS_WAIT_MS, ending.signal).signal);
if (isStopping) await new Promise(() => {}); // the stop ends the process
const { port } = await listen();
log.info('listening', { port, host: config.host });
tellStarter({ state: 'listening', port });

void restorer.run(ending.signal);

let purgedSeconds = nowSeconds();
loopHistogram.enable();
const schedules = new Schedules(log, ending.signal);
schedules.everyTime(config.snapshotCron, 'snapshot', async () => {
  // Of several trackers on one store the first to save spares the others theirs.
  if (follower.hasCompany) await pauseMs(Math.random() * SAVE_SPREAD_MS, ending.signal);
  if (!ending.signal.aborted) await saver.save('schedule');
});
schedules.everyTime(config.purgeCron, 'purge', purge);
if (journalSeconds > 0) schedules.everySeconds(journalSeconds, () => journal.tick());
schedules.everySeconds(journalSeconds || FOLLOW_SECONDS, () => {
  void follower.tick(ending.signal, restorer.isSettled);
});
schedules.everySeconds(1, () => {
  rates.tick(monotonicMs() / 1000);
  loopDelay.tick(monotonicMs() / 1000);
  announceWindow.tick(monotonicMs() / 1000);
  if (minutes.isDue(nowSeconds())) endMinute();
  if (saver.isOwed && restorer.isSettled && watched.isReachable) void saver.save('journal');
  if (nowSeconds() - purgedSeconds > PURGE_SECONDS_MAX) void purge();
});

function endMinute(): void {
  const point = minutes.take(gauges());
  history.add(point);
  events.sendPoint(pointDocument(point));
  counters.clients.endMinute();
  void findBusiest();
}

async function findBusiest(): Promise<void> {
  const largest = table.largest(BUSIEST_SWARMS);
  await runInSlices(() => largest.step(), { monotonicMs });
  busiest.found(largest.found);
}

async function purge(): Promise<void> {
  purgedSeconds = nowSeconds();
  const run = tracker.purge(purgedSeconds);
  await runInSlices(() => run.step(), { monotonicMs });
  if (run.removed > 0) log.debug('purged', { peers: run.removed });
}

function makeTable(): InstanceType<typeof SwarmTable> {
  try {
    return new SwarmTable({ peersMax: config.peersMax, swarmsMax: config.swarmsMax, hashKey, random });
  } catch (error) {
    log.error('MAX_PEERS is more than this machine can hold', errorFields(error));
    process.exit(1);
  }
}

/** With `--successor` the port may still be its predecessor's, which is told to stop as soon as this one waits for it. */
async function listen(): Promise<{ readonly port: number }> {
  const triedMs = monotonicMs();
  const isSuccessor = process.argv.includes('--successor');
  for (let tries = 0; ; tries++) {
    try {
      return await server.listen(config.port, config.host);
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isSuccessor || !isTaken || monotonicMs() - triedMs > SUCCEED_MS_MAX) {
        log.error(`cannot listen on port ${config.port} of ${config.host}`, errorFields(error));
        process.exit(1);
      }
    }
    if (tries === 0) tellStarter({ state: 'waiting' });
    await pauseMs(SUCCEED_POLL_MS, ending.signal);
    if (isStopping) await new Promise(() => {});
  }
}

/** `trakx start` and `trakx restart` wait for this; whoever else started the process hears nothing, or does not mind. */
function tellStarter(message: TrackerMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

function gauges(): Gauges {
  return readGauges({
    config,
    version,
    startedSeconds,
    nowSeconds,
    table,
    access,
    takedowns,
    watched,
    journal,
    follower,
    stops,
    restorer,
    saver,
    counters,
    rates,
    history,
    busiest,
    loopDelay,
    announceWindow,
    proxyWarnings,
    server,
  });
}
