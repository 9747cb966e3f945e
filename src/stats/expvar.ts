/**
 * The keys that the Go tracker of the same name published through Go's expvar, at the top level and with dots in
 * their names, because charts (netdata's go_expvar among them) were pointed at them. `memstats` carries the fields
 * that those charts read; what Node does not know is 0.
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

/** Go's runtime.MemStats, as far as Node has a counterpart; bytes. */
function memstats(memory: MemoryGauges) {
  return {
    Alloc: memory.heapUsed,
    Sys: memory.rss,
    Mallocs: 0,
    Frees: 0,
    HeapAlloc: memory.heapUsed,
    HeapSys: memory.heapTotal,
    HeapIdle: memory.heapTotal - memory.heapUsed,
    HeapInuse: memory.heapUsed,
    StackInuse: 0,
    MSpanInuse: 0,
    MCacheInuse: 0,
    NumGC: 0,
    PauseNs: [0],
  };
}
