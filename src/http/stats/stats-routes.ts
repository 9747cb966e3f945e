/**
 * /stats: a page for browsers, JSON for everyone else, chosen by Accept; /stats.json: the JSON.
 * What is in it is stats/'s work, and how the page looks stats-page.ts's.
 */
import { type Request, type Response, Router } from 'express';
import type { Gauges } from '../../stats/gauges.ts';
import { liveReport, statsReport } from '../../stats/stats-report.ts';
import type { PageFrame } from '../pages/page.ts';
import { readOnly, send } from '../web-reply.ts';
import { statsPage } from './stats-page.ts';

export function statsRoutes(frame: PageFrame, gauges: () => Gauges): Router {
  const router = Router({ caseSensitive: true });
  const sendJson = (_request: Request, response: Response): void => {
    const text = `${JSON.stringify(statsReport(gauges()), null, 1)}\n`;
    send(response, 200, 'application/json; charset=utf-8', text);
  };
  readOnly(router, '/stats', (request, response) => {
    response.setHeader('Vary', 'Accept');
    // Charting programs send no Accept or */*, browsers name text/html: the first of the list wins a tie.
    if (request.accepts(['json', 'html']) !== 'html') return sendJson(request, response);
    const now = gauges();
    frame.send(response, statsPage(liveReport(now), now.nowSeconds));
  });
  readOnly(router, '/stats.json', sendJson);
  return router;
}
