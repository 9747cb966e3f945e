import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test, { describe } from 'node:test';
import { metricsRoutes } from '../../../src/http/stats/metrics-routes.ts';
import { wellGauges } from '../../stats/gauges.ts';
import { serve } from '../page-server.ts';

/** What of prom-client this process has loaded: it is a CommonJS package. */
const loaded = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('/prom-client/'));

describe('/metrics', () => {
  test('loads the package that writes it when it is asked for the first time', async (context) => {
    const ask = await serve(
      context,
      metricsRoutes(() => wellGauges()),
    );
    await ask('/debug/vars');
    assert.deepEqual(loaded(), []);
    await ask('/metrics');
    assert.notDeepEqual(loaded(), []);
  });

  test("is Prometheus' text, of the moment it is asked for", async (context) => {
    let connections = 11;
    const ask = await serve(
      context,
      metricsRoutes(() => wellGauges({ connections })),
    );
    const { status, headers, text } = await ask('/metrics');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(text, /^# TYPE trakx_peers gauge\ntrakx_peers\{family="ipv4"\} 40$/m);
    assert.match(text, /^trakx_http_connections_open 11$/m);
    connections = 12;
    assert.match((await ask('/metrics')).text, /^trakx_http_connections_open 12$/m);
  });

  test('answers all that ask at once', async (context) => {
    const ask = await serve(
      context,
      metricsRoutes(() => wellGauges()),
    );
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('/metrics')));
    assert.deepEqual(new Set(answers.map(({ text }) => text)).size, 1);
  });

  test('is a failure of ours when the numbers cannot be read, and a whole answer the next time', async (context) => {
    let isBroken = true;
    const ask = await serve(
      context,
      metricsRoutes(() => {
        if (isBroken) throw new Error('broken');
        return wellGauges();
      }),
    );
    context.mock.method(console, 'error', () => {});
    assert.equal((await ask('/metrics')).status, 500);
    isBroken = false;
    assert.equal((await ask('/metrics')).status, 200);
  });

  test('is tried anew by the next who asks when the package could not be loaded', async (context) => {
    let tries = 0;
    const load = async () => {
      tries += 1;
      if (tries === 1) throw new Error('too many open files');
      const { PrometheusText } = await import('../../../src/stats/prometheus.ts');
      return new PrometheusText();
    };
    const ask = await serve(
      context,
      metricsRoutes(() => wellGauges(), load),
    );
    context.mock.method(console, 'error', () => {});
    assert.equal((await ask('/metrics')).status, 500);
    for (let time = 0; time < 2; time++) assert.equal((await ask('/metrics')).status, 200);
    assert.equal(tries, 2);
  });

  test('refuses other methods than GET and HEAD', async (context) => {
    const ask = await serve(
      context,
      metricsRoutes(() => wellGauges()),
    );
    assert.equal((await ask('/metrics', {}, 'POST')).status, 405);
    const head = await ask('/metrics', {}, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
  });
});

test("/debug/vars has the Go tracker's keys, and Go's own two, without the folders of the command line", async (context) => {
  const ask = await serve(
    context,
    metricsRoutes(() => wellGauges()),
  );
  const { headers, text } = await ask('/debug/vars');
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  const vars = JSON.parse(text);
  assert.deepEqual(vars.cmdline, ['node', 'main.js']);
  assert.deepEqual(
    Object.keys(vars).filter((key) => key !== 'cmdline' && key !== 'memstats'),
    [
      ...['hits', 'connects', 'announces', 'scrapes'].map((name) => `trakx.requests.${name}`),
      ...['seeds', 'leeches', 'peers', 'ips', 'hashes', 'udpconnections'].map(
        (name) => `trakx.database.${name}`,
      ),
      ...['server', 'client'].map((name) => `trakx.errors.${name}`),
      'trakx.internal.uptime',
    ],
  );
  assert.equal(vars['trakx.database.seeds'], 30);
  assert.equal(vars['trakx.internal.uptime'], 3_725);
  assert.equal(vars.memstats.HeapInuse, 20e6);
  assert.ok(Array.isArray(vars.memstats.PauseNs));
});
