/** Debian's Prometheus scrapes a tracker, and our numbers are read back out of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startTracker, type TrackerProcess, temporaryFolder } from '../builders/tracker-process.ts';
import { needingOnce, program } from '../needs.ts';
import { startMonitor } from './monitors/monitor.ts';
import { announce, ask } from './tracker-requests.ts';

/** What Prometheus' API answers. */
interface Query {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly value: readonly [atSeconds: number, value: string] }[];
  };
}
interface Rule {
  readonly name: string;
  readonly health: string;
  readonly state: string;
  readonly lastError?: string;
}
interface Rules {
  readonly data: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
}

const PEERS = 12;
const MONITORING = 'deploy/monitoring';

async function announceAll(tracker: TrackerProcess): Promise<void> {
  for (let peer = 0; peer < PEERS; peer += 1) {
    await announce(tracker, { port: 2_000 + peer, left: peer % 3 === 0 ? 0 : 5 });
  }
  await ask(tracker, '/announce?port=1');
}

/** The file of deploy/, with the tracker's address and looks in quick succession. */
function configuration(folder: string, target: string): string {
  const path = join(folder, 'prometheus.yml');
  const text = readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8')
    .replace('127.0.0.1:1337', target)
    .replace('scrape_interval: 15s', 'scrape_interval: 1s');
  writeFileSync(path, `global: {evaluation_interval: 1s}\n${text}`);
  copyFileSync(join(MONITORING, 'trakx-alerts.yml'), join(folder, 'trakx-alerts.yml'));
  return path;
}

/** What a panel asks, as Grafana would put it for this tracker. */
function panelQueries(instance: string): { title: string; query: string }[] {
  const { panels } = JSON.parse(readFileSync(join(MONITORING, 'grafana-dashboard.json'), 'utf8')) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      query: expr
        .replaceAll('$job', 'trakx')
        .replaceAll('$instance', instance)
        .replaceAll('$__rate_interval', '1m'),
    })),
  );
}

/** The expressions in the guide's table. */
function guideQueries(): { title: string; query: string }[] {
  const guide = readFileSync('docs/monitoring.md', 'utf8');
  return [...guide.matchAll(/^\| ([^|]+) \| `([^`]*trakx_[^`]*)` \|$/gm)].map(([, title, query]) => ({
    title: title!,
    query: query!,
  }));
}

/** The loopback machine has no limit of memory, and the clients of the last hour are counted a minute later. */
const MAY_BE_EMPTY = /trakx_memory_limit_bytes|trakx_announces_by_client/;

describe(
  'Prometheus',
  needingOnce(import.meta.url, [program('prometheus', 'prometheus'), program('promtool', 'prometheus')]),
  () => {
    it("finds nothing to blame in the tracker's metrics", async (context) => {
      const tracker = await startTracker(context);
      await announceAll(tracker);
      const { headers, body } = await ask(tracker, '/metrics');
      assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: body,
        encoding: 'utf8',
      });
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
    });

    it('reads the numbers of a real tracker, draws every panel of the dashboard and loads the alerts', async (context) => {
      const tracker = await startTracker(context);
      const instance = `127.0.0.1:${tracker.port}`;
      const folder = temporaryFolder(context);
      const path = configuration(folder, instance);
      const prometheus = await startMonitor(context, {
        command: 'prometheus',
        args: (port) => [
          `--config.file=${path}`,
          `--storage.tsdb.path=${join(folder, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
      });
      const query = (text: string) => `/api/v1/query?query=${encodeURIComponent(text)}`;
      const holds = (text: string, wanted: number) =>
        prometheus.found(`${text} is ${wanted}`, query(text), ({ data }: Query) =>
          Number(data?.result[0]?.value[1]) === wanted ? true : undefined,
        );
      // A rate is of two looks: the first must have come before the announces.
      await holds('sum(trakx_announces_total)', 0);
      await announceAll(tracker);

      await holds('sum(trakx_announces_total)', PEERS + 1);
      await holds('trakx_announce_duration_seconds_count', PEERS + 1);
      await holds('trakx_refusals_total{reason="malformed"}', 1);
      await holds('trakx_peers{family="ipv4"}', PEERS);
      await holds('trakx_peers_by_role{role="seeder"}', PEERS / 3);
      await holds('trakx_swarms', 1);
      await holds('trakx_restore_settled', 1);
      await holds(`up{instance="${instance}"}`, 1);

      const empty: string[] = [];
      const asked = [...panelQueries(instance), ...guideQueries()];
      assert.ok(asked.length > 45);
      for (const panel of asked) {
        const answer = (await (await fetch(`${prometheus.origin}${query(panel.query)}`)).json()) as Query;
        assert.equal(answer.status, 'success', `${panel.title}: ${panel.query}: ${answer.error}`);
        if (answer.data?.result.length === 0 && !MAY_BE_EMPTY.test(panel.query))
          empty.push(`${panel.title}: ${panel.query}`);
      }
      assert.deepEqual(empty, []);

      const rules = await prometheus.found(
        'the alerts were evaluated',
        '/api/v1/rules',
        ({ data }: Rules) => {
          const all = data.groups.flatMap((group) => group.rules);
          return all.length > 0 && all.every(({ health }) => health !== 'unknown') ? all : undefined;
        },
      );
      const text = readFileSync(join(MONITORING, 'trakx-alerts.yml'), 'utf8');
      assert.equal(rules.length, text.match(/^ +- alert: /gm)?.length);
      for (const { name, health, state, lastError } of rules) {
        assert.deepEqual(
          { name, health, state, lastError },
          { name, health: 'ok', state: 'inactive', lastError: undefined },
        );
      }
    });
  },
);
