/**
 * What /stats shows of the statistics document: each figure as text, each share of a bar as a number, each list as rows.
 * The server writes them into the page, so that they are there without a script, and the page's script writes the same
 * ones into the same places whenever a newer document comes; so nothing here knows a document's elements, and what the
 * two show cannot differ. Pure. What a document lacks, because nothing was measured yet, reads as a dash.
 */
/** @import { LiveReport as Report } from '../../../stats/stats-report.ts' */
import { escapeHtml } from './escape-html.js';
import { bytes, count, duration, milliseconds, percent, UNKNOWN } from './formats.js';

/**
 * Plain texts, by the name of the place that shows them.
 *
 * @param {Report} report
 * @returns {Readonly<Record<string, string>>}
 */
export function figureTexts(report) {
  const { requests, table, store, journal, memory, latency, takedowns } = report;
  const loopDelays = report.eventLoop.delayMs ?? report.eventLoop.delayMsSoFar;
  const announceMs = latency.announceMs;
  return {
    peers: count(report.peers),
    seeders: count(report.seeders),
    leechers: count(report.leechers),
    swarms: count(report.swarms),
    announcesPerSecond: count(requests.perSecond.announces),
    scrapesPerSecond: count(requests.perSecond.scrapes),
    uniqueAddresses: count(report.uniqueAddresses),
    completed: count(report.completed),
    peersIpv4: shareText(report.peersIpv4, report.peers),
    peersIpv6: shareText(report.peersIpv6, report.peers),
    announcesIpv4: shareText(requests.announcesIpv4, requests.announcesIpv4 + requests.announcesIpv6),
    announcesIpv6: shareText(requests.announcesIpv6, requests.announcesIpv4 + requests.announcesIpv6),
    latencyP50: milliseconds(announceMs?.p50),
    latencyP90: milliseconds(announceMs?.p90),
    latencyP99: milliseconds(announceMs?.p99),
    latencyP999: milliseconds(announceMs?.p999),
    loopP50: milliseconds(loopDelays.p50),
    loopP99: milliseconds(loopDelays.p99),
    loopP999: milliseconds(loopDelays.p999),
    loopMax: milliseconds(loopDelays.max),
    memory: bytes(memory.rss),
    memoryLimit: memory.limitBytes
      ? `${percent(memory.rss / memory.limitBytes)} of ${bytes(memory.limitBytes)}`
      : 'no limit set',
    heap: bytes(memory.heapUsed),
    tableRoom: `${percent(report.peers / table.peersMax)} of ${count(table.peersMax)}`,
    swarmRoom: `${percent(report.swarms / table.swarmsMax)} of ${count(table.swarmsMax)}`,
    displaced: count(table.peersEvicted),
    storeState: STORE_STATES[store.state],
    saved: store.savedSecondsAgo === null ? 'none yet' : `${duration(store.savedSecondsAgo)} ago`,
    written: journal.writtenSecondsAgo === null ? 'none yet' : `${duration(journal.writtenSecondsAgo)} ago`,
    atRisk: atRisk(journal),
    restore: store.restore,
    uptime: duration(report.uptimeSeconds),
    restarts: count(report.process.restarts),
    version: report.version,
    banned: count(takedowns.banned),
    bannedLastDay: count(takedowns.lastDay),
    bannedLastMonth: count(takedowns.lastMonth),
    latencyNote: latencyNote(report),
  };
}

/** @param {Report} report */
function latencyNote({ latency, eventLoop }) {
  if (latency.announceMs !== null) return `over the last ${duration(latency.windowSeconds)}`;
  return eventLoop.windowsEnded === 0 ? 'known after the first minute' : 'no announce in the last minute';
}

/** @type {Readonly<Record<Report['store']['state'], string>>} */
const STORE_STATES = { well: 'well', saving: 'saving now', restoring: 'restoring', failing: 'failing' };

/**
 * How far each bar is filled, from 0 to 1.
 *
 * @param {Report} report
 * @returns {Readonly<Record<string, number>>}
 */
export function figureShares(report) {
  const { memory } = report;
  return {
    seeders: shareOf(report.seeders, report.peers),
    anybody: report.peers > 0 ? 1 : 0,
    peersIpv4: shareOf(report.peersIpv4, report.peers),
    memory: shareOf(memory.rss, memory.limitBytes ?? 0),
  };
}

/**
 * What has as many rows as there are things, as HTML with every text from outside escaped.
 *
 * @param {Report} report
 * @returns {Readonly<Record<string, string>>}
 */
export function figureLists(report) {
  return {
    warnings: report.warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`).join(''),
    replies: barRows(answers(report)),
    errors: barRows(errors(report)),
    clients: clients(report),
    busiestSwarms: busiestSwarms(report),
  };
}

/** @typedef {readonly [name: string, amount: number, isPart?: boolean]} Amount a part is of the last that is none */

/** @param {Report} report @returns {Amount[]} */
function answers({ requests }) {
  return [
    ['Announces', requests.announcesIpv4 + requests.announcesIpv6],
    ['of these over IPv4', requests.announcesIpv4, true],
    ['of these over IPv6', requests.announcesIpv6, true],
    ['of these telling of a completed download', requests.announcesCompleted, true],
    ['of these telling of a stop', requests.announcesStopped, true],
    ['of these by partial seeds', requests.announcesPaused, true],
    ['Scrapes', requests.scrapes],
  ];
}

/** @param {Report} report @returns {Amount[]} */
function errors({ requests }) {
  return [
    ['Malformed request', requests.refusedMalformed],
    ['No usable address', requests.refusedAddress],
    ['Banned torrent', requests.refusedBanned],
    ['Torrent not on the allow list', requests.refusedNotAllowed],
    ['Answered but not listed', requests.announcesNotStored],
    ['Fault of the tracker', requests.errorsServer],
  ];
}

/** @param {Report} report */
function clients({ clients }) {
  if (clients.length === 0) return '<li class="empty">No announce within the last hour</li>';
  const most = Math.max(...clients.map(({ share }) => share));
  return clients
    .filter(({ share }) => share > 0)
    .map(({ family, share }) =>
      row(family === 'other' ? 'Other' : family, shareOf(share, most), percent(share)),
    )
    .join('');
}

/** @param {Report} report */
function busiestSwarms({ busiestSwarms, swarms, eventLoop }) {
  if (busiestSwarms.length === 0) {
    // They are looked for once a minute, and those that are refused by now are left out.
    const looked =
      eventLoop.windowsEnded === 0
        ? 'Known after the first minute'
        : 'None served, as of a minute ago at most';
    return `<tr><td class="empty" colspan="4">${swarms === 0 ? 'No swarm' : looked}</td></tr>`;
  }
  return busiestSwarms
    .map(({ peers, seeders, leechers, infoHash }, index) => {
      const name = infoHash === undefined ? `No. ${index + 1}` : `<code>${escapeHtml(infoHash)}</code>`;
      return `<tr><th scope="row">${name}</th><td>${count(peers)}</td><td>${count(seeders)}</td><td>${count(leechers)}</td></tr>`;
    })
    .join('');
}

/** @param {readonly Amount[]} amounts */
function barRows(amounts) {
  const most = Math.max(...amounts.map(([, amount]) => amount));
  return amounts
    .map(([name, amount, isPart]) => row(name, shareOf(amount, most), count(amount), isPart))
    .join('');
}

/** @param {string} name @param {number} share @param {string} text @param {boolean} [isPart] of a row above */
function row(name, share, text, isPart = false) {
  const item = isPart ? '<li class="part">' : '<li>';
  return `${item}<span>${escapeHtml(name)}</span> <b>${escapeHtml(text)}</b>${bar(share)}</li>`;
}

/**
 * A bar, for the eye only: the text beside it says the same. Its width is an attribute, for a style would be inline.
 *
 * @param {number} share
 */
function bar(share) {
  return bars(barPart(share));
}

/**
 * Several parts lie over each other, the last on top.
 *
 * @param {readonly string[]} parts
 */
export function bars(...parts) {
  const whole = '<rect class="bar-whole" width="100" height="1"/>';
  return `<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">${whole}${parts.join('')}</svg>`;
}

/**
 * @param {number} share
 * @param {string} [name] of the share, where a script is to keep it fresh
 */
export function barPart(share, name) {
  const named = name === undefined ? '' : ` data-share="${name}"`;
  return `<rect class="bar-part"${named} width="${barWidth(share)}" height="1"/>`;
}

/** @param {number} share @returns {string} */
export function barWidth(share) {
  return (share * 100).toFixed(2);
}

/** @param {Report['journal']} journal */
function atRisk({ intervalSeconds, bytesAtRisk, secondsAtRisk }) {
  if (intervalSeconds === 0) return 'what was announced since the last save';
  return bytesAtRisk === 0 ? 'nothing' : `${duration(secondsAtRisk)} of announces`;
}

/** @param {number} part @param {number} whole */
function shareText(part, whole) {
  return `${count(part)} (${whole === 0 ? UNKNOWN : percent(part / whole)})`;
}

/** @param {number} part @param {number} whole @returns {number} 0 to 1 */
function shareOf(part, whole) {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}
