/** Debian's netdata reads a tracker by its go_expvar module, and our numbers are read back out of it. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startTracker, temporaryFolder } from '../builders/tracker-process.ts';
import { type Need, needingOnce, program } from '../needs.ts';
import { type Monitor, startMonitor } from './monitors/monitor.ts';
import { announce, ask } from './tracker-requests.ts';

const PEERS = 900;
const MONITORING = 'deploy/monitoring/netdata';
const EXPVAR_MODULE = '/usr/lib/netdata/python.d/go_expvar.chart.py';

const netdata = program('/usr/sbin/netdata', 'netdata-core');
const expvarModule: Need = {
  ...program('/usr/lib/netdata/plugins.d/python.d.plugin', 'netdata-plugins-python'),
  what: `netdata's go_expvar (${EXPVAR_MODULE})`,
};

interface Chart {
  readonly dimensions: Readonly<Record<string, { readonly name: string }>>;
}
interface Charts {
  readonly charts: Readonly<Record<string, Chart>>;
}
interface Data {
  readonly labels: readonly string[];
  /** Newest first; the first column is the time. */
  readonly data: readonly (readonly (number | null)[])[];
}
interface Alarms {
  readonly alarms: Readonly<
    Record<string, { readonly name: string; readonly status: string; readonly value: number | null }>
  >;
}

/** What is of the last whole minute is null before, and then it has no chart and no alarm yet. */
const KNOWN_AFTER_A_MINUTE = /latency|event_loop/;

/** Everything of netdata's that measures this machine or talks to others is off; what is left is the Python plugin. */
function configure(folder: string, target: string): string {
  const configuration = join(folder, 'netdata');
  for (const name of ['python.d', 'health.d', 'cache', 'lib', 'log']) {
    mkdirSync(join(configuration, name), { recursive: true });
  }
  const module = readFileSync(join(MONITORING, 'python.d/go_expvar.conf'), 'utf8');
  writeFileSync(join(configuration, 'python.d/go_expvar.conf'), module.replace('127.0.0.1:1337', target));
  writeFileSync(join(configuration, 'python.d.conf'), 'default_run: no\ngo_expvar: yes\n');
  // An alarm over the last hour looks for the first time when there was one.
  const alarms = readFileSync(join(MONITORING, 'health.d/trakx.conf'), 'utf8').replaceAll(
    /sum -\d+[mh] /g,
    'sum -10s ',
  );
  writeFileSync(join(configuration, 'health.d/trakx.conf'), alarms);
  const off = [
    ...[
      'timex',
      'idlejitter',
      'netdata monitoring',
      'tc',
      'diskspace',
      'proc',
      'cgroups',
      'statsd',
      'slabinfo',
    ],
    ...['ioping', 'go.d', 'node.d', 'apps', 'charts.d', 'ebpf', 'perf', 'fping', 'nfacct', 'checks'],
    'enable running new plugins',
  ];
  const path = join(configuration, 'netdata.conf');
  writeFileSync(
    path,
    `[global]
  run as user = ${process.getuid?.() === 0 ? 'root' : (process.env.USER ?? 'nobody')}
[directories]
  config = ${configuration}
  cache = ${join(configuration, 'cache')}
  lib = ${join(configuration, 'lib')}
  log = ${join(configuration, 'log')}
  home = ${join(configuration, 'lib')}
  health config = ${join(configuration, 'health.d')}
  stock health config = ${join(configuration, 'lib')}
[db]
  mode = ram
[plugins]
${off.map((name) => `  ${name} = no`).join('\n')}
  python.d = yes
[health]
  enabled = yes
  script to execute on alarm = /bin/true
[cloud]
  enabled = no
[registry]
  enabled = no
[ml]
  enabled = no
[logs]
  access = none
`,
  );
  writeFileSync(join(configuration, '.opt-out-from-anonymous-statistics'), '');
  return path;
}

/** The newest value of each line of a chart, by its name. */
async function newest(monitor: Monitor, chart: string): Promise<Record<string, number | null>> {
  const answer = await monitor.json<Data>(`/api/v1/data?chart=go_expvar_trakx.${chart}&after=-1&points=1`);
  const row = answer?.data[0] ?? [];
  return Object.fromEntries((answer?.labels ?? []).map((name, index) => [name, row[index] ?? null]));
}

describe('netdata', needingOnce(import.meta.url, [netdata, expvarModule]), () => {
  it('draws the numbers of a real tracker, and watches them with the alarms', async (context) => {
    // A table that 900 peers nearly fill, and with a limit of memory.
    const environment = { MAX_PEERS: '1000', MEMORY_AVAILABLE: '512' };
    const tracker = await startTracker(context, { environment });
    const path = configure(temporaryFolder(context), `127.0.0.1:${tracker.port}`);
    const monitor = await startMonitor(context, {
      command: '/usr/sbin/netdata',
      args: (port) => ['-D', '-c', path, '-i', '127.0.0.1', '-p', String(port)],
    });
    const module = readFileSync(join(MONITORING, 'python.d/go_expvar.conf'), 'utf8');
    const wanted = [...module.matchAll(/^ {4}- id: (\w+)$/gm)]
      .map(([, id]) => `go_expvar_trakx.${id}`)
      .filter((id) => !KNOWN_AFTER_A_MINUTE.test(id));
    assert.ok(wanted.length > 10);
    const charts = await monitor.found('all charts are there', '/api/v1/charts', ({ charts }: Charts) =>
      wanted.every((id) => id in charts) ? charts : undefined,
    );
    assert.deepEqual(Object.keys(charts).sort(), [...wanted].sort());

    for (let peer = 0; peer < PEERS; peer += 1) {
      await announce(tracker, { port: 2_000 + peer, left: peer % 3 === 0 ? 0 : 5 });
    }
    await ask(tracker, '/announce?port=1');
    await tracker.save();
    const drawn = async (chart: string, expected: Readonly<Record<string, number>>): Promise<void> => {
      const path = `/api/v1/data?chart=go_expvar_trakx.${chart}&after=-1&points=1`;
      await monitor.found(`${chart} shows ${JSON.stringify(expected)}`, path, ({ labels, data }: Data) =>
        Object.entries(expected).every(([name, value]) => data[0]?.[labels.indexOf(name)] === value)
          ? true
          : undefined,
      );
    };
    await drawn('peers', { seeders: PEERS / 3, leechers: (PEERS * 2) / 3 });
    await drawn('peers_by_family', { ipv4: PEERS, ipv6: 0 });
    await drawn('swarms', { swarms: 1, retained: 0 });
    await drawn('table', { used: PEERS });
    await drawn('at_risk', { seconds: 0 });
    assert.ok((await newest(monitor, 'memory')).resident! > 30);
    assert.ok((await newest(monitor, 'uptime')).uptime! >= 1);
    // What only grows is drawn as what it grew by each second, so all of it together is what was announced.
    await monitor.found(
      'the announces are drawn',
      '/api/v1/data?chart=go_expvar_trakx.requests&after=-600',
      ({ labels, data }: Data) => {
        const column = labels.indexOf('announces');
        const sum = data.reduce((before, row) => before + (row[column] ?? 0), 0);
        return Math.round(sum) === PEERS + 1 ? true : undefined;
      },
    );

    const rules = readFileSync(join(MONITORING, 'health.d/trakx.conf'), 'utf8');
    const names = [...rules.matchAll(/^ *template: (\w+)$/gm)]
      .map(([, name]) => name!)
      .filter((name) => !KNOWN_AFTER_A_MINUTE.test(name));
    const alarms = await monitor.found(
      'the alarms have looked',
      '/api/v1/alarms?all',
      ({ alarms }: Alarms) => {
        const states = new Map(Object.values(alarms).map(({ name, status }) => [name, status]));
        const haveLooked = names.every((name) => !['UNINITIALIZED', undefined].includes(states.get(name)));
        return haveLooked && states.get('trakx_table_used') !== 'CLEAR' ? states : undefined;
      },
    );
    assert.deepEqual(Object.fromEntries(alarms), {
      ...Object.fromEntries(names.map((name) => [name, 'CLEAR'])),
      trakx_table_used: 'WARNING',
    });
  });
});
