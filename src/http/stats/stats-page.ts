/**
 * /stats as a page: every figure stands in it as the server knew it, and `pages/browser/stats-page.js` keeps them fresh
 * by the names in `data-figure`, `data-share` and `data-list`, and draws the plots. What the figures say is `figures.js`'s.
 */
import type { LiveReport } from '../../stats/stats-report.ts';
import { escapeHtml } from '../pages/browser/escape-html.js';
import { barPart, bars, figureLists, figureShares, figureTexts } from '../pages/browser/figures.js';
import type { Page } from '../pages/page.ts';

/** `nowSeconds` since the epoch: of when the figures are. */
export function statsPage(report: LiveReport, nowSeconds: number): Page {
  const texts = figureTexts(report);
  const shares = figureShares(report);
  const lists = figureLists(report);

  const figure = (name: string): string => `<span data-figure="${name}">${escapeHtml(texts[name]!)}</span>`;
  const list = (name: string, of: string): string =>
    `<ul class="bars" aria-label="${of}" data-list="${name}">${lists[name]}</ul>`;
  const filled = (...names: readonly string[]): string =>
    bars(...names.map((name) => barPart(shares[name]!, name)));
  const rows = (entries: readonly (readonly [name: string, figure: string])[]): string =>
    `<table><tbody>${entries.map(([name, key]) => `<tr><th scope="row">${name}</th><td>${figure(key)}</td></tr>`).join('')}</tbody></table>`;
  const tile = (name: string, title: string, series: string): string =>
    `<div class="tile"><dt>${title}</dt><dd>${figure(name)}</dd><dd class="spark" aria-hidden="true"><svg data-spark="${series}" viewBox="0 0 100 24" preserveAspectRatio="none"></svg></dd></div>`;
  const card = (title: string, body: string, note = ''): string =>
    `<section class="card"><h2>${title}</h2>${note}${body}</section>`;

  const main = `
<div class="stats-head">
<h1>Statistics</h1>
<p class="state" data-state="still"><span class="dot"></span><span data-state-text role="status">As of ${utc(nowSeconds)}</span></p>
</div>
<div data-list="warnings">${lists.warnings}</div>
<dl class="hero">
<div class="tile tile-peers"><dt>Peers</dt><dd>${figure('peers')}</dd>
<dd class="split">${filled('anybody', 'seeders')}<p><span class="key key-seeders">${figure('seeders')} seeders</span> <span class="key key-leechers">${figure('leechers')} leechers</span></p></dd></div>
${tile('swarms', 'Swarms', 'swarms')}
${tile('announcesPerSecond', 'Announces / s', 'announcesPerSecond')}
${tile('scrapesPerSecond', 'Scrapes / s', 'scrapesPerSecond')}
${tile('latencyP99', 'Latency, 99&nbsp;%', 'latencyP99Ms')}
</dl>
<section class="plots" data-plots hidden aria-labelledby="plots-title">
<div class="plots-head">
<h2 id="plots-title">Over time</h2>
<fieldset class="spans"><legend class="for-readers">Time shown by the plots</legend>
<label><input type="radio" name="span" value="hour" checked><span>Hour</span></label>
<label><input type="radio" name="span" value="day"><span>Day</span></label>
<label><input type="radio" name="span" value="week"><span>Week</span></label>
</fieldset>
<p class="note" data-plots-note role="status"></p>
</div>
<div class="plot-grid" data-plot-grid></div>
</section>
<noscript><p class="note">Plots over time, and figures that move by themselves, need JavaScript.</p></noscript>
<div class="cards">
${card(
  'Time to answer an announce',
  rows([
    ['Half within', 'latencyP50'],
    ['90&nbsp;% within', 'latencyP90'],
    ['99&nbsp;% within', 'latencyP99'],
    ['99.9&nbsp;% within', 'latencyP999'],
  ]),
  `<p class="note">${figure('latencyNote')}</p>`,
)}
${card(
  'What a crash would cost',
  rows([
    ['A crash now loses', 'atRisk'],
    ['Last whole save', 'saved'],
    ['Last journal segment', 'written'],
    ['Store', 'storeState'],
  ]),
)}
${card(
  'IPv4 and IPv6',
  `${filled('anybody', 'peersIpv4')}${rows([
    ['Peers over IPv4', 'peersIpv4'],
    ['Peers over IPv6', 'peersIpv6'],
    ['Announces over IPv4', 'announcesIpv4'],
    ['Announces over IPv6', 'announcesIpv6'],
    ['Addresses, ±&nbsp;1&nbsp;%', 'uniqueAddresses'],
  ])}`,
)}
${card(
  'Takedowns',
  rows([
    ['Torrents banned', 'banned'],
    ['In the last day', 'bannedLastDay'],
    ['In the last 30 days', 'bannedLastMonth'],
  ]),
)}
${card('Clients', list('clients', 'Announces of the last hour, by client'), '<p class="note">by announces of the last hour</p>')}
${card(
  'Event loop, late by',
  rows([
    ['Half of the time at most', 'loopP50'],
    ['99&nbsp;% of the time at most', 'loopP99'],
    ['99.9&nbsp;% of the time at most', 'loopP999'],
    ['At its worst', 'loopMax'],
  ]),
  '<p class="note">over the last minute</p>',
)}
${card('Answers since the start', list('replies', 'Answers since the start, by kind'))}
${card('Refusals and errors since the start', list('errors', 'Refusals and errors since the start, by kind'))}
${card(
  'Process',
  `${rows([
    ['Running for', 'uptime'],
    ['Restarts', 'restarts'],
    ['Downloads completed', 'completed'],
    ['Version', 'version'],
  ])}<p class="note">${figure('restore')}</p>`,
)}
${card(
  'Busiest swarms',
  `<table class="swarms"><thead><tr><th scope="col">Swarm</th><th scope="col">Peers</th><th scope="col">Seeders</th><th scope="col">Leechers</th></tr></thead><tbody data-list="busiestSwarms">${lists.busiestSwarms}</tbody></table>`,
)}
${card(
  'Memory',
  `${report.memory.limitBytes === null ? '' : filled('memory')}${rows([
    ['In use', 'memory'],
    ['Limit', 'memoryLimit'],
    ['JavaScript heap', 'heap'],
    ['Room for peers', 'tableRoom'],
    ['Room for swarms', 'swarmRoom'],
    ['Peers displaced by others', 'displaced'],
  ])}`,
)}
</div>
<p class="note">The same as JSON: <a href="/stats.json">/stats.json</a>. No address of a peer is in either.</p>`;

  return {
    title: 'Statistics · Trakx',
    main,
    isWide: true,
    scripts: ['stats-page.js'],
    styles: ['uplot.css'],
  };
}

/** `2026-11-21 17:50:03 UTC` */
function utc(seconds: number): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
