import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { METRICS } from '../../src/stats/metrics.ts';
import { PrometheusText } from '../../src/stats/prometheus.ts';
import { wellGauges } from './gauges.ts';

/** The values by series, as they stand in the text: `name{label="value"}`. */
async function seriesOf(gauges = wellGauges()): Promise<Map<string, number>> {
  const text = await new PrometheusText().textOf(gauges);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const blank = line.lastIndexOf(' ');
      return [line.slice(0, blank), Number(line.slice(blank + 1))];
    }),
  );
}

describe("Prometheus' text", () => {
  test('has each metric of the list, with its kind and meaning', async () => {
    const clients = [{ family: 'Transmission', announces: 5, share: 1 }];
    const text = await new PrometheusText().textOf(wellGauges({ memoryQuotaBytes: 512e6, clients }));
    for (const { name, kind, help } of METRICS) {
      assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name}`), name);
    }
  });

  test('tells what was counted', async () => {
    const gauges = wellGauges();
    Object.assign(gauges.counters, {
      announces: 10,
      laneAnnounces: 7,
      scrapes: 3,
      laneScrapes: 3,
      refusedBanned: 2,
    });
    const series = await seriesOf(gauges);
    for (const [name, value] of [
      ['trakx_peers{family="ipv6"}', 2],
      ['trakx_peers_by_role{role="seeder"}', 30],
      ['trakx_announces_total{way="lane"}', 7],
      ['trakx_announces_total{way="express"}', 3],
      ['trakx_scrapes_total{way="express"}', 0],
      ['trakx_refusals_total{reason="banned"}', 2],
      ['trakx_store_requests_total{operation="list"}', 9],
      ['trakx_saves_total{outcome="skipped"}', 5],
      ['trakx_save_age_seconds', 90],
      ['trakx_build_info{version="0.1.0"}', 1],
      ['trakx_uptime_seconds', 3_725],
      ['process_cpu_seconds_total', 12.5],
    ] as const) {
      assert.equal(series.get(name), value, name);
    }
  });

  test('counts lengths upwards, as Prometheus wants it', async () => {
    const gauges = wellGauges();
    gauges.counters.announceLatency.record(0.000_03, 5);
    gauges.counters.announceLatency.record(0.000_3, 2);
    gauges.counters.announceLatency.record(7, 1);
    gauges.store.latency.put.record(0.03);
    gauges.journal.waits.record(12);
    const series = await seriesOf(gauges);
    const bucket = (le: string) => series.get(`trakx_announce_duration_seconds_bucket{le="${le}"}`);
    assert.deepEqual(
      [bucket('0.00002'), bucket('0.00005'), bucket('0.0005'), bucket('5'), bucket('+Inf')],
      [0, 5, 7, 7, 8],
    );
    assert.equal(series.get('trakx_announce_duration_seconds_count'), 8);
    assert.ok(Math.abs(series.get('trakx_announce_duration_seconds_sum')! - 7.000_75) < 1e-9);
    assert.equal(series.get('trakx_store_operation_duration_seconds_bucket{operation="put",le="0.05"}'), 1);
    assert.equal(series.get('trakx_store_operation_duration_seconds_count{operation="get"}'), 0);
    assert.equal(series.get('trakx_journal_wait_seconds_bucket{le="10"}'), 0);
    assert.equal(series.get('trakx_journal_wait_seconds_bucket{le="20"}'), 1);
  });

  test('says nothing of a snapshot that was not taken, and counts its age from the start', async () => {
    const well = wellGauges();
    const series = await seriesOf({
      ...well,
      store: { ...well.store, savedSeconds: undefined },
      saves: { ...well.saves, lastBytes: undefined },
    });
    assert.equal(series.get('trakx_save_age_seconds'), 3_725);
    assert.equal(series.has('trakx_save_size_bytes'), false);
  });

  test('follows counters that began anew with another process', async () => {
    const view = new PrometheusText();
    const gauges = wellGauges();
    gauges.counters.hits = 5;
    assert.match(await view.textOf(gauges), /^trakx_http_requests_total 5$/m);
    assert.match(await view.textOf(wellGauges()), /^trakx_http_requests_total 0$/m);
  });
});

describe('the names of metrics', () => {
  test("follow Prometheus' rules", () => {
    for (const { name, kind, help, label } of METRICS) {
      assert.match(name, /^(trakx|process|nodejs)_[a-z_]+$/);
      assert.equal(name.endsWith('_total'), kind === 'counter', name);
      if (kind === 'histogram') assert.match(name, /_seconds$/);
      assert.match(help, /^[A-Z0-9].*\.$/, name);
      assert.match(label ?? 'none', /^[a-z_]+$/);
    }
  });

  test('are told apart', () => {
    assert.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length);
  });
});
