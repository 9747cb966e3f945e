/**
 * Keeps /stats fresh: each document that the tracker sends goes into the places that the server filled first, and into
 * the plots. Whether the figures are live stands at the head of the page, and is said aloud only when that changes.
 */
/** @import { LiveReport as Report } from '../../../stats/stats-report.ts' */
/** @import { Point, Span } from './history.js' */
import { element } from './element.js';
import { barWidth, figureLists, figureShares, figureTexts } from './figures.js';
import { count } from './formats.js';
import { History } from './history.js';
import { HistoryPlots } from './history-plots.js';
import { LiveEvents } from './live-events.js';
import { drawSparklines } from './sparklines.js';

const STATES = { live: 'Live', reconnecting: 'Reconnecting …' };

/** What stands in each list: what a browser makes of HTML is not the same text again. @type {Map<string, string>} */
const shown = new Map();

/** Whether the tracker had taken in again what was saved, when it was last heard of. @type {boolean | undefined} */
let wasRestored;

const history = new History();
const plots = new HistoryPlots(element('[data-plot-grid]', HTMLElement), history);
const note = element('[data-plots-note]', HTMLElement);
element('[data-plots]', HTMLElement).hidden = false;

for (const choice of document.querySelectorAll('input[name=span]')) {
  if (!(choice instanceof HTMLInputElement)) continue;
  choice.addEventListener('change', () => showSpan(/** @type {Span} */ (choice.value)));
  // A browser that comes back to the page remembers what was chosen.
  if (choice.checked) showSpan(/** @type {Span} */ (choice.value));
}

const events = new LiveEvents('/stats/events', { stats: show, point: showPoint }, showState);
events.open();
// A page kept for the way back must not hold its connection, and needs a new one when it returns.
addEventListener('pagehide', () => events.close());
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) events.open();
});

/** @param {Report} report */
function show(report) {
  history.add(report);
  const texts = figureTexts(report);
  for (const [name, text] of Object.entries(texts)) {
    for (const place of document.querySelectorAll(`[data-figure="${name}"]`)) {
      if (place.textContent !== text) place.textContent = text;
    }
  }
  for (const [name, share] of Object.entries(figureShares(report))) {
    for (const part of document.querySelectorAll(`[data-share="${name}"]`))
      part.setAttribute('width', barWidth(share));
  }
  for (const [name, html] of Object.entries(figureLists(report))) {
    const place = document.querySelector(`[data-list="${name}"]`);
    if (place !== null && shown.get(name) !== html) place.innerHTML = html;
    shown.set(name, html);
  }
  document.title = `${count(report.peers)} peers · Trakx`;
  const { isRestored } = report.store;
  // From now on the history has what was before the start.
  if (isRestored && wasRestored === false) showSpan(history.span);
  else draw();
  wasRestored = isRestored;
}

/** @param {Point} point of a minute that has just ended */
function showPoint(point) {
  if (history.append(point)) draw();
  else showSpan(history.span);
}

/** @param {Span} span */
async function showSpan(span) {
  try {
    await history.load(span);
    note.textContent = '';
  } catch {
    note.textContent = 'What was before is not to be had at the moment.';
  }
  draw();
}

function draw() {
  plots.draw();
  drawSparklines(document.querySelectorAll('[data-spark]'), history);
}

/** @param {'live' | 'reconnecting'} state */
function showState(state) {
  const place = element('.state', HTMLElement);
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  element('[data-state-text]', HTMLElement).textContent = STATES[state];
}
