/**
 * The plots of /stats, drawn by uPlot: one below the other in time, with one cursor through all. For those who do not see
 * them each is an image whose name says what it shows: now, lowest, highest. Colours are the style sheet's, light or dark,
 * and change with the system's; sizes follow the page.
 */
/** @import { History, Span } from './history.js' */
import uPlot from 'uplot';
import { bytes, count, duration, milliseconds, UNKNOWN } from './formats.js';

/** @typedef {readonly [name: string, label: string, colour: string]} Line */
/** @typedef {{ title: string, format: (value: number) => string, isWide?: boolean, steps?: number[], lines: readonly Line[] }} PlotPlan */

/** Between marks of the axis, where round means something else than tens: 1 MiB to 512 GiB. */
const BYTE_STEPS = Array.from({ length: 20 }, (_, power) => 2 ** (20 + power));
const DURATION_STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600, 86_400];

/** Colours by the name of the style sheet's property. @type {readonly PlotPlan[]} */
const PLANS = [
  {
    title: 'Peers',
    format: count,
    isWide: true,
    lines: [
      ['peers', 'Peers', '--first'],
      ['seeders', 'Seeders', '--seeders'],
      ['leechers', 'Leechers', '--leechers'],
    ],
  },
  { title: 'Swarms', format: count, lines: [['swarms', 'Swarms', '--third']] },
  {
    title: 'Requests a second',
    format: rate,
    lines: [
      ['announcesPerSecond', 'Announces', '--first'],
      ['scrapesPerSecond', 'Scrapes', '--second'],
      ['errorsPerSecond', 'Errors', '--bad'],
    ],
  },
  {
    title: 'Time to answer an announce',
    format: milliseconds,
    lines: [
      ['latencyP50Ms', 'Half within', '--seeders'],
      ['latencyP99Ms', '99\u202f% within', '--second'],
    ],
  },
  {
    title: 'Event-loop delay, 99\u202f%',
    format: milliseconds,
    lines: [['loopDelayP99Ms', 'Late by', '--third']],
  },
  { title: 'Memory', format: bytes, steps: BYTE_STEPS, lines: [['memoryBytes', 'In use', '--first']] },
  {
    title: 'Not yet saved',
    format: duration,
    steps: DURATION_STEPS,
    lines: [
      ['saveAgeSeconds', 'Age of the last whole save', '--leechers'],
      ['secondsAtRisk', 'At risk in a crash', '--bad'],
    ],
  },
];

const AXIS_FONT = '12px system-ui, sans-serif';
export class HistoryPlots {
  #grid;
  #history;
  /** @type {Plot[]} */
  #plots = [];

  /** @param {HTMLElement} grid @param {History} history */
  constructor(grid, history) {
    this.#grid = grid;
    this.#history = history;
    this.#make();
    // The colours of what was drawn are those of the moment it was made.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#make();
      this.draw();
    });
  }

  draw() {
    for (const plot of this.#plots) plot.draw();
  }

  #make() {
    for (const plot of this.#plots) plot.remove();
    this.#grid.textContent = '';
    this.#plots = PLANS.map((plan) => new Plot(plan, this.#grid, this.#history));
  }
}

class Plot {
  #plan;
  #history;
  #image;
  /** Which moment the caption shows, when it is not the last. */
  #time;
  /** Of each line, where its value stands. @type {HTMLElement[]} */
  #values;
  #uplot;
  #sizes;

  /** @param {PlotPlan} plan @param {HTMLElement} grid @param {History} history */
  constructor(plan, grid, history) {
    this.#plan = plan;
    this.#history = history;
    const figure = document.createElement('figure');
    figure.className = plan.isWide ? 'card plot plot-wide' : 'card plot';
    const caption = document.createElement('figcaption');
    const title = document.createElement('strong');
    title.textContent = plan.title;
    this.#time = document.createElement('time');
    caption.append(title, this.#time);
    this.#values = plan.lines.map(([, label, colour]) => {
      const key = document.createElement('span');
      key.className = 'key';
      key.style.setProperty('--key', `var(${colour})`);
      const value = document.createElement('b');
      key.append(`${label} `, value);
      caption.append(key);
      return value;
    });
    this.#image = document.createElement('div');
    this.#image.className = 'plot-image';
    this.#image.role = 'img';
    figure.append(caption, this.#image);
    grid.append(figure);
    this.#uplot = new uPlot(this.#options(figure), [[]], this.#image);
    this.#sizes = new ResizeObserver(() => this.#uplot.setSize(this.#size()));
    this.#sizes.observe(this.#image);
  }

  draw() {
    const { lines, title, format } = this.#plan;
    const data = this.#history.columns(lines.map(([name]) => name));
    this.#uplot.setData(data);
    const sentences = lines.map(([, label], index) => summary(label, data[index + 1] ?? [], format));
    this.#image.ariaLabel = `${title}, last ${this.#history.span}. ${sentences.join(' ')}`;
    this.#showValues(this.#uplot.cursor.idx);
  }

  remove() {
    this.#sizes.disconnect();
    this.#uplot.destroy();
  }

  /** @param {number | null | undefined} index of the moment whose values the caption shows */
  #showValues(index) {
    const seconds = index === null || index === undefined ? undefined : this.#uplot.data[0][index];
    this.#time.textContent = seconds === undefined ? '' : momentText(seconds, this.#history.span);
    for (const [line, element] of this.#values.entries()) {
      const column = this.#uplot.data[line + 1];
      const value = column?.[index ?? column.length - 1];
      element.textContent = value === null || value === undefined ? UNKNOWN : this.#plan.format(value);
    }
  }

  #size() {
    return { width: Math.max(120, this.#image.clientWidth), height: Math.max(120, this.#image.clientHeight) };
  }

  /** @param {HTMLElement} figure @returns {uPlot.Options} */
  #options(figure) {
    const { lines, format, steps } = this.#plan;
    const style = getComputedStyle(figure);
    /** @param {string} name */
    const colourOf = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colourOf('--soft'),
      font: AXIS_FONT,
      ticks: { show: false },
      grid: { stroke: colourOf('--grid'), width: 1 },
    };
    return {
      ...this.#size(),
      // Room for the half of the last mark's text.
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'stats' }, drag: { x: false, y: false }, y: false },
      scales: {
        x: { time: true, range: () => this.#history.range },
        y: { range: (_plot, _from, to) => [0, to > 0 ? to * 1.12 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 30,
          space: 70,
          values: (_plot, splits, _axis, _space, step) => splits.map((at) => timeText(at, step)),
        },
        {
          ...axis,
          size: 64,
          space: 38,
          ...(steps === undefined ? {} : { incrs: steps }),
          values: (_plot, splits) => splits.map((value) => (value === 0 ? '0' : format(value))),
        },
      ],
      series: [
        {},
        ...lines.map(([, label, colour]) => ({
          label,
          stroke: colourOf(colour),
          width: 2,
          ...(lines.length === 1 ? { fill: `${colourOf(colour)}22` } : {}),
          points: {
            show: (
              /** @type {uPlot} */ _plot,
              /** @type {number} */ _line,
              /** @type {number} */ from,
              /** @type {number} */ to,
            ) => to - from < 2,
          },
        })),
      ],
      hooks: { setCursor: [(plot) => this.#showValues(plot.cursor.idx)] },
    };
  }
}

/**
 * @param {string} label @param {readonly (number | null | undefined)[]} column @param {(value: number) => string} format
 * @returns {string} `Seeders: now 812, lowest 640, highest 901.`
 */
function summary(label, column, format) {
  const known = column.filter((value) => typeof value === 'number');
  if (known.length === 0) return `${label}: nothing known yet.`;
  const now = column.at(-1);
  const last = typeof now === 'number' ? format(now) : 'unknown';
  return `${label}: now ${last}, lowest ${format(Math.min(...known))}, highest ${format(Math.max(...known))}.`;
}

/** @param {number} value @returns {string} */
function rate(value) {
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

/** @param {number} seconds since the epoch @param {number} stepSeconds between two marks @returns {string} */
function timeText(seconds, stepSeconds) {
  const time = new Date(seconds * 1_000);
  if (stepSeconds >= 86_400) return time.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric' });
  const clock = time.toLocaleTimeString(
    'en-GB',
    stepSeconds < 60 ? {} : { hour: '2-digit', minute: '2-digit' },
  );
  const isMidnight = time.getHours() === 0 && time.getMinutes() === 0;
  return isMidnight ? time.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric' }) : clock;
}

/** @param {number} seconds since the epoch @param {Span} span @returns {string} `18:24:10`, `Sat 18:24` */
function momentText(seconds, span) {
  const time = new Date(seconds * 1_000);
  if (span === 'hour') return time.toLocaleTimeString('en-GB');
  return time.toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
}
