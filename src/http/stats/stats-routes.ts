/**
 * /stats: a page for browsers, JSON for everyone else, chosen by Accept; /stats.json and /debug/vars: the JSON.
 * What is in it is stats/'s work; here it is only shown.
 */
import { type Request, type Response, Router } from 'express';
import type { Gauges } from '../../stats/gauges.ts';
import { type StatsReport, statsReport } from '../../stats/stats-report.ts';
import { escapeHtml, type PageFrame, readOnly, send } from '../pages/page.ts';

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
    frame.send(response, { title: 'Statistics · Trakx', main: statsPage(statsReport(gauges())) });
  });
  readOnly(router, '/stats.json', sendJson);
  readOnly(router, '/debug/vars', sendJson);
  return router;
}

function statsPage(report: StatsReport): string {
  const { store, requests, table, memory, eventLoop } = report;
  const loopDelays = eventLoop.delayMs ?? eventLoop.delayMsSoFar;
  return [
    '<h1>Statistics</h1>',
    ...report.warnings.map((warning) => `<p class="warning" role="alert">${escapeHtml(warning)}</p>`),
    figures([
      ['Peers', count(report.peers)],
      ['Seeders', count(report.seeders)],
      ['Leechers', count(report.leechers)],
      ['Swarms', count(report.swarms)],
      ['Announces a second', count(requests.perSecond.announces)],
      ['Addresses, ±\u00a01\u00a0%', count(report.uniqueAddresses)],
    ]),
    rows('Peers', [
      ['Over IPv4', count(report.peersIpv4)],
      ['Over IPv6', count(report.peersIpv6)],
      ['Room for', count(table.peersMax)],
      ['Completed downloads', count(report.completed)],
    ]),
    rows('Requests since the start', [
      ['Announces', count(requests.announces)],
      ['Scrapes', count(requests.scrapes)],
      ['Refused: banned or not allowed', count(requests.refusedBanned + requests.refusedNotAllowed)],
      [
        'Refused: malformed, or no usable address',
        count(requests.refusedMalformed + requests.refusedAddress),
      ],
      ['Errors of the tracker', count(requests.errorsServer)],
    ]),
    rows('Store', [
      ['State', escapeHtml(store.state)],
      [
        'Last save',
        store.savedSecondsAgo === null ? 'none since the start' : `${duration(store.savedSecondsAgo)} ago`,
      ],
      ['A crash now would lose', atRisk(report.journal)],
      ['Restore', escapeHtml(store.restore)],
    ]),
    rows('Process', [
      ['Running for', duration(report.uptimeSeconds)],
      ['Memory', `${count(Math.round(memory.rss / 1_048_576))} MiB`],
      ['Event loop late, 99 % of the time at most', `${loopDelays.p99.toFixed(1)} ms`],
      ['Version', escapeHtml(report.version)],
    ]),
    '<p>The same as JSON: <a href="/stats.json">/stats.json</a>. No address of a peer is in either.</p>',
  ].join('\n');
}

function atRisk({ intervalSeconds, bytesAtRisk, secondsAtRisk }: StatsReport['journal']): string {
  if (intervalSeconds === 0) return 'what was announced since the last save';
  return bytesAtRisk === 0 ? 'nothing' : `${duration(secondsAtRisk)} of announces`;
}

type Row = readonly [name: string, html: string];

function figures(entries: readonly Row[]): string {
  const items = entries.map(([name, html]) => `<div><dt>${name}</dt><dd>${html}</dd></div>`);
  return `<dl class="figures">${items.join('')}</dl>`;
}

function rows(title: string, entries: readonly Row[]): string {
  const lines = entries.map(([name, html]) => `<tr><th scope="row">${name}</th><td>${html}</td></tr>`);
  return `<h2>${title}</h2>\n<table><tbody>${lines.join('')}</tbody></table>`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`;
}
