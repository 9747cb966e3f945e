/** What lies in deploy/monitoring/ names nothing that the tracker does not tell. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { METRICS } from '../../src/stats/metrics.ts';
import { PrometheusText } from '../../src/stats/prometheus.ts';
import { statsReport } from '../../src/stats/stats-report.ts';
import { wellGauges } from '../stats/gauges.ts';

const read = (path: string): string => readFileSync(`deploy/monitoring/${path}`, 'utf8');

/** `name` and `name{label}` of all that a tracker tells that knows everything. */
async function told(): Promise<Set<string>> {
  const clients = [{ family: 'Transmission', announces: 5, share: 1 }];
  const text = await new PrometheusText().textOf(wellGauges({ memoryQuotaBytes: 512e6, clients }));
  return new Set(
    [...text.matchAll(/^(\w+)(?:\{([^}]*)\})? /gm)].flatMap(([, name, labels = '']) => [
      name!,
      ...[...labels.matchAll(/(\w+)="([^"]*)"/g)].flatMap(([pair, label]) => [
        `${name}{${label}}`,
        `${name}{${pair}}`,
      ]),
    ]),
  );
}

const METRIC_NAME = /\b(?:trakx|process|nodejs)_\w+/g;

async function unknownIn(expressions: readonly string[]): Promise<string[]> {
  const known = await told();
  return expressions.flatMap((expression) => {
    const names = expression.match(METRIC_NAME) ?? [];
    const selectors = [...expression.matchAll(/\b((?:trakx|process|nodejs)_\w+)\{([^}]*)\}/g)];
    const labels = selectors.flatMap(([, name, inside = '']) =>
      [...inside.matchAll(/\w+="[^"]*"/g)]
        .map(([pair]) => pair)
        .filter((pair) => !/^(job|instance)=/.test(pair))
        .map((pair) => `${name}{${pair}}`),
    );
    return [...names, ...labels].filter((name) => !known.has(name));
  });
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(read('grafana-dashboard.json')) as {
    readonly panels: readonly Panel[];
    readonly annotations: { readonly list: readonly { readonly expr: string }[] };
    readonly templating: {
      readonly list: readonly { readonly query: string | { readonly query: string } }[];
    };
  };
  const targets = dashboard.panels.flatMap(({ targets = [] }) => targets);

  it('asks for metrics and labels that the tracker tells', async () => {
    const variables = dashboard.templating.list.map(({ query }) =>
      typeof query === 'string' ? query : query.query,
    );
    const expressions = [...targets, ...dashboard.annotations.list].map(({ expr }) => expr);
    assert.ok(expressions.length > 30);
    assert.deepEqual(await unknownIn([...expressions, ...variables]), []);
  });

  it('tells the lines of a panel apart by labels that they have', async () => {
    const known = await told();
    for (const { expr, legendFormat } of targets) {
      const [, label] = /\{\{(\w+)\}\}/.exec(legendFormat) ?? [];
      if (label === undefined) continue;
      assert.ok(known.has(`${expr.match(METRIC_NAME)?.[0]}{${label}}`), `${legendFormat} of ${expr}`);
    }
  });

  it('has panels that do not lie on each other, each with a title, a number of its own and something to show', () => {
    const cells = new Set<string>();
    for (const { type, title, gridPos, targets = [] } of dashboard.panels) {
      assert.ok(title.length > 0);
      assert.equal(targets.length === 0, type === 'row', title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(x < 24 && !cells.has(`${x} ${y}`), `${title} at ${x}, ${y}`);
          cells.add(`${x} ${y}`);
        }
      }
    }
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  });
});

describe("Prometheus' alerts", () => {
  it('ask for metrics and labels that the tracker tells', async () => {
    const expressions = [...read('trakx-alerts.yml').matchAll(/^ +expr: (.*)$/gm)].map(([, expr]) => expr!);
    assert.equal(expressions.length, 9);
    assert.deepEqual(await unknownIn(expressions), []);
  });
});

describe("netdata's charts", () => {
  const module = read('netdata/python.d/go_expvar.conf');
  const lines = [...module.matchAll(/expvar_key: ([\w.]+), expvar_type: (\w+), id: (\w+)/g)];

  it('read keys that are in /stats.json', () => {
    const known = new Set(flattened(statsReport(wellGauges({ memoryQuotaBytes: 512e6 }))));
    assert.ok(lines.length > 30);
    for (const [, key] of lines) {
      // Null until the first minute is over, and before the first announce.
      const parent = /^(latency\.announceMs|eventLoop\.delayMs)\./.exec(key!)?.[1];
      assert.ok(known.has(parent ?? key!), key);
    }
  });

  it('have lines with names of their own, for the module keeps them all in one list', () => {
    const ids = lines.map(([, , , id]) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
  });

  it('are what the alarms are on, and have the lines that those read', () => {
    const contexts = new Map(
      module
        .split(/^ {4}- id: /m)
        .map((chart) => [
          /context: ([\w.]+)/.exec(chart)?.[1],
          [...chart.matchAll(/ id: (\w+)(?:, name: ([\w.]+))?/g)].map(([, id, name]) => name ?? id),
        ]),
    );
    const alarms = read('netdata/health.d/trakx.conf')
      .split(/^ template: /m)
      .slice(1);
    assert.equal(alarms.length, 8);
    for (const alarm of alarms) {
      const dimensions = contexts.get(/^ +on: (\S+)$/m.exec(alarm)?.[1]);
      assert.notEqual(dimensions, undefined, alarm);
      const [, calc = ''] = /^ +calc: (.*)$/m.exec(alarm) ?? [];
      const variables = [...calc.matchAll(/\$(\w+)/g)].map(([, name]) => name!);
      const [, looked] = /^ +lookup: .* of (\w+)$/m.exec(alarm) ?? [];
      for (const name of [...variables, ...(looked === undefined ? [] : [looked])]) {
        assert.ok(['this', 'now', 'last_collected_t', ...dimensions!].includes(name), `${name} in ${alarm}`);
      }
    }
  });
});

/** As the module does it: keys within others with a dot between them. */
function flattened(document: object, before = ''): string[] {
  return Object.entries(document).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flattened(value, `${before}${key}.`)
      : [`${before}${key}`],
  );
}

describe('what the guide says', () => {
  const guide = readFileSync('docs/monitoring.md', 'utf8');

  it('names metrics and alarms that there are, and every alarm', () => {
    const alarms = [...read('netdata/health.d/trakx.conf').matchAll(/^ template: (\w+)$/gm)].map(
      ([, name]) => name!,
    );
    const names = new Set([...METRICS.flatMap(({ name }) => [name, `${name}_bucket`]), ...alarms]);
    const named: string[] = guide.match(METRIC_NAME) ?? [];
    assert.deepEqual(
      named.filter((name) => !names.has(name)),
      [],
    );
    assert.deepEqual(
      alarms.filter((name) => !named.includes(name)),
      [],
    );
  });
});
