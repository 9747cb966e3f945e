import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lineChart } from '../../../src/cli/stress/line-chart.ts';
import { LoadRecord } from '../../../src/cli/stress/stress-record.ts';
import { stressTarget } from '../../../src/cli/stress/stress-target.ts';
import { startTracker, temporaryFolder } from '../../builders/tracker-process.ts';

const COMMAND = fileURLToPath(new URL('../../../src/cli/trakx.ts', import.meta.url));

async function stress(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', COMMAND, 'stress', ...words], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const [status] = await once(child, 'close');
  return { status, stdout, stderr };
}

describe('trakx stress', () => {
  test('announces to the local tracker, tells as JSON, and plots', async (context) => {
    const tracker = await startTracker(context, { environment: { HOST: '127.0.0.1' } });
    const plot = join(temporaryFolder(context), 'out.html');
    const { status, stdout, stderr } = await stress(
      ['--rate', '100', '--duration', '2500ms', '--peers', '500', '--swarms', '20', '--json', '--plot', plot],
      { PORT: String(tracker.port) },
    );
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout);
    assert.equal(result.requests, 250);
    assert.equal(result.answered, 250);
    assert.ok(result.latencyMs.p50 > 0 && result.latencyMs.max >= result.latencyMs.p99);
    assert.match(stderr, / 1 s .* answered, 0 refused, 0 failed/);
    const stats = JSON.parse(await (await fetch(`${tracker.origin}/stats.json`)).text());
    assert.equal(stats.requests.announces, 250);
    assert.ok(stats.swarms > 5 && stats.swarms <= 20);
    const page = readFileSync(plot, 'utf8');
    assert.match(page, /Latency over time.*<polyline/s);
    assert.match(page, /Percentile curve/);
    assert.doesNotMatch(page, /<script|(src|href)=/);
  });

  test('asks for one path when told to, and counts refusals apart', async (context) => {
    const tracker = await startTracker(context, { environment: { HOST: '127.0.0.1' } });
    const { status, stdout } = await stress(
      [tracker.origin, '--rate', '50', '--duration', '400ms', '--path', '/announce?port=1'],
      {},
    );
    assert.equal(status, 0);
    assert.match(stdout, /^answered +0$/m);
    assert.match(stdout, /^refused +20 /m);
  });

  test('fails when nothing was answered', async () => {
    const { status, stdout } = await stress(['http://127.0.0.1:9', '--rate', '20', '--duration', '200ms']);
    assert.equal(status, 1);
    assert.match(stdout, /^failed +4 /m);
  });

  test('aims at nobody else', async () => {
    const { status, stderr, stdout } = await stress(['http://192.0.2.1/announce']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /not this machine.*--i-own-this-host/);
  });

  for (const words of [
    ['--rate', '0'],
    ['--duration', '20'],
    ['--path', 'scrape'],
    ['--path', '/a b'],
  ]) {
    test(`"${words.join(' ')}" is wrong use`, async () => {
      assert.equal((await stress(words)).status, 2);
    });
  }
});

describe('the target of a load', () => {
  for (const url of ['http://127.0.0.1:1337', 'http://127.9.9.9/', 'http://[::1]:1337', 'http://localhost']) {
    test(`${url} is this machine`, async () => {
      assert.equal(typeof (await stressTarget(url, false)), 'object');
    });
  }

  for (const url of ['http://192.0.2.1', 'http://[2001:db8::1]', 'http://0.0.0.0', 'http://[::]:80']) {
    test(`${url} is not taken for this machine`, async () => {
      assert.equal(typeof (await stressTarget(url, false)), 'string');
    });
  }

  test('another machine is taken from its owner', async () => {
    const target = await stressTarget('https://192.0.2.1/announce?x', true);
    assert.ok(typeof target === 'object');
    assert.equal(target.path, '/announce?x');
    assert.equal(target.host, '192.0.2.1');
  });

  for (const url of ['nonsense', 'udp://127.0.0.1:1337', '']) {
    test(`"${url}" is no target`, async () => {
      assert.match(String(await stressTarget(url, true)), /not an http/);
    });
  }
});

describe('the record of a load', () => {
  test('keeps a row for each second, silent ones too', () => {
    const record = new LoadRecord();
    record.add('answered', 1, 10, 0);
    record.add('refused', 2, 900, 0);
    record.add('failed', 3, 2_500, 0);
    const { timeline, answered, refused, failed } = record.result({ requests: 3, ms: 2_600 });
    assert.deepEqual([answered, refused, failed], [1, 1, 1]);
    assert.deepEqual(
      timeline.map((row) => [row.second, row.answered, row.refused, row.failed]),
      [
        [0, 1, 1, 0],
        [1, 0, 0, 0],
        [2, 0, 0, 1],
      ],
    );
  });

  test('gives percentiles with three significant figures', () => {
    const record = new LoadRecord();
    for (let ms = 1; ms <= 1_000; ms++) record.add('answered', ms, 0, 0);
    const { latencyMs, curve } = record.result({ requests: 1_000, ms: 1_000 });
    for (const [name, wanted] of [
      ['p50', 500],
      ['p99', 990],
      ['p999', 999],
      ['max', 1_000],
    ] as const) {
      assert.ok(Math.abs(latencyMs[name] - wanted) <= wanted / 500, `${name} ${latencyMs[name]}`);
    }
    assert.ok(curve.every(({ ms }, at) => at === 0 || ms >= curve[at - 1]!.ms));
  });

  test('does not take a connection refused at once for a fast answer', () => {
    const record = new LoadRecord();
    record.add('answered', 100, 0, 0);
    for (let n = 0; n < 99; n++) record.add('failed', 0.1, 0, 0);
    assert.ok(record.result({ requests: 100, ms: 1_000 }).latencyMs.p50 > 99);
  });

  test('is empty when nothing was sent', () => {
    const { latencyMs, timeline, curve } = new LoadRecord().result({ requests: 0, ms: 0 });
    assert.equal(latencyMs.p99, 0);
    assert.deepEqual(timeline, []);
    assert.deepEqual(curve, []);
  });
});

describe('a chart', () => {
  const chart = { title: 'a < b', xLabel: 'x', yLabel: 'y' };

  test('escapes what it is given', () => {
    const svg = lineChart({
      ...chart,
      series: [
        {
          name: '<script>',
          points: [
            [1, 1],
            [2, 3],
          ],
        },
      ],
    });
    assert.doesNotMatch(svg, /<script>|a < b/);
  });

  test('has a place for one point, for equal points and for none', () => {
    for (const points of [
      [[1, 1]],
      [
        [1, 5],
        [2, 5],
      ],
      [],
    ] as const) {
      for (const isYLogarithmic of [false, true]) {
        assert.doesNotMatch(
          lineChart({ ...chart, isYLogarithmic, series: [{ name: 'a', points }] }),
          /NaN|Infinity/,
        );
      }
    }
  });
});
