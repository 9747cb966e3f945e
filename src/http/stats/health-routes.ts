/**
 * /healthz: the process answers, from its first moment on; platform health checks use this one, because a store
 * that is down must not kill a tracker that serves. /readyz: the restore has settled, else 503 and why.
 * /heartbeat: 200 and a short text, as the Go tracker of the same name had it.
 */
import { Router } from 'express';
import type { RestoreGauges } from '../../stats/gauges.ts';
import { readOnly, send } from '../web-reply.ts';

const PLAIN = 'text/plain; charset=utf-8';

export function healthRoutes(restore: () => Pick<RestoreGauges, 'isSettled' | 'explanation'>): Router {
  const router = Router({ caseSensitive: true });
  readOnly(router, '/healthz', (_request, response) => send(response, 200, PLAIN, 'ok\n'));
  readOnly(router, '/heartbeat', (_request, response) => send(response, 200, PLAIN, 'alive\n'));
  readOnly(router, '/readyz', (_request, response) => {
    const { isSettled, explanation } = restore();
    if (isSettled) send(response, 200, PLAIN, 'ready\n');
    else send(response, 503, PLAIN, `not ready: ${explanation}\n`, { 'Retry-After': '5' });
  });
  return router;
}
