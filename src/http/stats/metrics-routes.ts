/**
 * What monitoring programs read. GET /metrics: Prometheus' text format; the package that writes it is imported when
 * somebody asks for the first time. GET /debug/vars: the keys of Go's expvar, as JSON. What is in them is stats/'s work.
 */
import { Router } from 'express';
import { debugVars } from '../../stats/expvar.ts';
import type { Gauges } from '../../stats/gauges.ts';
import type { PrometheusText } from '../../stats/prometheus.ts';
import { readOnly, send } from '../web-reply.ts';

async function loadText(): Promise<PrometheusText> {
  const { PrometheusText } = await import('../../stats/prometheus.ts');
  return new PrometheusText();
}

export function metricsRoutes(gauges: () => Gauges, load = loadText): Router {
  const router = Router({ caseSensitive: true });
  let loading: Promise<PrometheusText> | undefined;
  /** A file that could not be read, for want of descriptors say, may be readable at the next request. */
  const forget = (error: unknown): never => {
    loading = undefined;
    throw error;
  };
  readOnly(router, '/metrics', (_request, response, next) => {
    const answer = async (): Promise<void> => {
      loading ??= load().catch(forget);
      const prometheus = await loading;
      send(response, 200, prometheus.contentType, await prometheus.textOf(gauges()));
    };
    answer().catch(next);
  });
  readOnly(router, '/debug/vars', (_request, response) => {
    send(
      response,
      200,
      'application/json; charset=utf-8',
      `${JSON.stringify(debugVars(gauges()), null, 1)}\n`,
    );
  });
  return router;
}
