/**
 * The keys that the Go tracker of the same name published through Go's expvar, at the top level and with dots in
 * their names, because charts (netdata's go_expvar among them) were pointed at them. `memstats` has Go's fields; what
 * Node does not know is 0.
 */
import type { Gauges, MemoryGauges } from './gauges.ts';

export function expvars(gauges: Gauges, uniqueAddresses: number) {
  const { table, counters, rates } = gauges;
  return {
    'trakx.requests.hits': rates.perSecond.hits,
    'trakx.requests.connects': rates.perSecond.connects,
    'trakx.requests.announces': rates.perSecond.announces,
    'trakx.requests.scrapes': rates.perSecond.scrapes,
    'trakx.database.seeds': table.seeders,
    'trakx.database.leeches': table.leechers,
    'trakx.database.peers': table.peers,
    'trakx.database.ips': uniqueAddresses,
    'trakx.database.hashes': table.swarms,
    'trakx.database.udpconnections': 0,
    'trakx.errors.server': counters.errorsServer,
    'trakx.errors.client': counters.errorsClient,
    'trakx.internal.uptime': gauges.nowSeconds - gauges.startedSeconds,
    memstats: memstats(gauges.memory),
  };
}

/**
 * The document at /debug/vars: those keys, and `cmdline` as Go's expvar has it, but without the folders, which are nobody's
 * business.
 */
export function debugVars(gauges: Gauges) {
  const cmdline = gauges.commandLine.map((word) => word.slice(word.lastIndexOf('/') + 1));
  return { cmdline, ...expvars(gauges, gauges.counters.addresses.count(gauges.nowSeconds)) };
}

/** Go's runtime.MemStats, as far as Node has a counterpart; bytes. */
function memstats(memory: MemoryGauges) {
  return {
    Alloc: memory.heapUsed,
    TotalAlloc: 0,
    Sys: memory.rss,
    Lookups: 0,
    Mallocs: 0,
    Frees: 0,
    HeapAlloc: memory.heapUsed,
    HeapSys: memory.heapTotal,
    HeapIdle: memory.heapTotal - memory.heapUsed,
    HeapInuse: memory.heapUsed,
    HeapReleased: 0,
    HeapObjects: 0,
    StackInuse: 0,
    StackSys: 0,
    MSpanInuse: 0,
    MSpanSys: 0,
    MCacheInuse: 0,
    MCacheSys: 0,
    BuckHashSys: 0,
    GCSys: 0,
    OtherSys: memory.external,
    NextGC: 0,
    LastGC: 0,
    PauseTotalNs: 0,
    PauseNs: [0],
    PauseEnd: [0],
    NumGC: 0,
    NumForcedGC: 0,
    GCCPUFraction: 0,
    EnableGC: true,
    DebugGC: false,
    BySize: [],
  };
}
