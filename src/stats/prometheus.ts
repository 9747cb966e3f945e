/**
 * The metrics in Prometheus' text format, by prom-client with a registry of its own. All values are those of one
 * moment: the gauges that were given. Whoever serves it imports it at the first request, so that a tracker
 * that nobody scrapes carries none of it.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Gauges } from './gauges.ts';
import { Histogram } from './histogram.ts';
import { type LengthMetric, METRICS, type NumberMetric, type Values } from './metrics.ts';

export class PrometheusText {
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();
  #gauges: Gauges | undefined;

  constructor() {
    for (const metric of METRICS) {
      if (metric.kind === 'histogram') this.#addLengths(metric);
      else this.#addNumber(metric);
    }
  }

  /** The text of all metrics. The readers run before this returns its promise. */
  textOf(gauges: Gauges): Promise<string> {
    this.#gauges = gauges;
    return this.#registry.metrics();
  }

  #addNumber(metric: NumberMetric): void {
    const read = (): [labels: LabelValues, value: number][] => this.#valuesOf(metric);
    const { name, help, label } = metric;
    const options = {
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [this.#registry],
    };
    if (metric.kind === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          this.remove({}); // the 0 that a reset leaves where there is no label
          for (const [labels, value] of read()) this.set(labels, value);
        },
      });
    } else {
      new Counter({
        ...options,
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.inc(labels, value);
        },
      });
    }
  }

  /** prom-client's own histograms are made by watching; ours are there already and are only shown. */
  #addLengths(metric: LengthMetric): void {
    const { name, help } = metric;
    const shown = {
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      get: async () => ({
        name,
        help,
        type: 'histogram',
        values: this.#valuesOf(metric).flatMap(([labels, histogram]) => series(name, labels, histogram)),
      }),
    };
    this.#registry.registerMetric(shown as unknown as Parameters<Registry['registerMetric']>[0]);
  }

  #valuesOf<T extends number | Histogram>({ label = '', read }: Readable<T>): [LabelValues, T][] {
    const values = this.#gauges && read(this.#gauges);
    if (values === undefined) return [];
    if (isOne(values)) return [[{}, values]];
    return Object.entries(values).map(([value, one]) => [{ [label]: value }, one]);
  }
}

type LabelValues = Readonly<Record<string, string>>;

interface Readable<T> {
  readonly label?: string;
  readonly read: (gauges: Gauges) => Values<T>;
}

function isOne<T extends number | Histogram>(values: NonNullable<Values<T>>): values is T {
  return typeof values === 'number' || values instanceof Histogram;
}

interface SeriesValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Prometheus counts upwards: each bucket holds all that were at most so long. */
function series(
  name: string,
  labels: LabelValues,
  { boundsSeconds, counts, total, sumSeconds }: Histogram,
): SeriesValue[] {
  let atMost = 0;
  const buckets = boundsSeconds.map((bound, index) => {
    atMost += counts[index]!;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: atMost };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: total },
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
