/**
 * Charts as SVG text and a page to hold them, for reports that are one file: no script, no request to anywhere. Pure.
 */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** A logarithmic axis leaves out what is not above 0. */
  readonly isXLogarithmic?: boolean;
  readonly isYLogarithmic?: boolean;
  /** Where the x axis is marked, and how; chosen when absent. */
  readonly xMarks?: readonly (readonly [x: number, label: string])[];
}

const WIDTH = 760;
const HEIGHT = 300;
const LEFT = 70;
const RIGHT = 16;
const TOP = 16;
const BOTTOM = 48;
const COLOURS = ['#2463a8', '#c2521b', '#2b8a3e', '#8741a3', '#8a6d00', '#5c6670', '#b0306a', '#0b7285'];

export function lineChart(chart: Chart): string {
  const { isXLogarithmic = false, isYLogarithmic = false } = chart;
  const series = chart.series.map(({ name, points }) => ({
    name,
    points: points.filter(([x, y]) => (!isXLogarithmic || x > 0) && (!isYLogarithmic || y > 0)),
  }));
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0)
    return `<figure><figcaption>${escaped(chart.title)}: nothing was measured</figcaption></figure>`;
  const x = new Axis(
    all.map(([value]) => value),
    isXLogarithmic,
    LEFT,
    WIDTH - RIGHT,
    false,
  );
  const y = new Axis(
    all.map(([, value]) => value),
    isYLogarithmic,
    HEIGHT - BOTTOM,
    TOP,
    true,
  );
  const parts: string[] = [];
  for (const value of y.marks()) {
    const at = y.place(value);
    parts.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`);
    parts.push(`<text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${short(value)}</text>`);
  }
  for (const [value, label] of chart.xMarks ?? x.marks().map((mark) => [mark, short(mark)] as const)) {
    if (!x.holds(value)) continue;
    parts.push(
      `<text x="${x.place(value)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escaped(label)}</text>`,
    );
  }
  parts.push(
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(chart.xLabel)}</text>`,
    `<text transform="translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.yLabel)}</text>`,
  );
  for (const [index, { points }] of series.entries()) {
    const line = points.map(([px, py]) => `${x.place(px)},${y.place(py)}`).join(' ');
    const colour = COLOURS[index % COLOURS.length];
    parts.push(`<polyline fill="none" stroke="${colour}" stroke-width="1.6" points="${line}"/>`);
    if (points.length <= 30) {
      for (const [px, py] of points) {
        parts.push(`<circle cx="${x.place(px)}" cy="${y.place(py)}" r="3" fill="${colour}"/>`);
      }
    }
  }
  const legend = series
    .map(
      ({ name }, index) => `<span style="color:${COLOURS[index % COLOURS.length]}">■</span> ${escaped(name)}`,
    )
    .join(' &nbsp; ');
  return (
    `<figure><figcaption>${escaped(chart.title)}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(chart.title)}">${parts.join('')}</svg>` +
    `<p class="legend">${legend}</p></figure>`
  );
}

/** Bars that lie, one a row, with their figures. */
export function barChart(
  title: string,
  rows: readonly (readonly [name: string, value: number])[],
  unit: string,
): string {
  const max = Math.max(...rows.map(([, value]) => value), Number.MIN_VALUE);
  const height = rows.length * 26 + 8;
  const bars = rows.map(([name, value], index) => {
    const y = index * 26 + 4;
    const width = Math.max(1, (value / max) * (WIDTH - 380));
    return (
      `<text x="250" y="${y + 15}" text-anchor="end">${escaped(name)}</text>` +
      `<rect x="258" y="${y}" width="${width.toFixed(1)}" height="20" fill="${COLOURS[0]}"/>` +
      `<text x="${(264 + width).toFixed(1)}" y="${y + 15}">${short(value)} ${escaped(unit)}</text>`
    );
  });
  return (
    `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
    `aria-label="${escaped(title)}">${bars.join('')}</svg></figure>`
  );
}

export function tableHtml(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${cells('th', header)}${rows.map((row) => cells('td', row)).join('')}</table>`;
}

/** A whole page around parts of HTML. */
export function reportPage(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2126;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}figure{margin:1.5rem 0}figcaption{font-weight:600}
svg{width:100%;height:auto}svg text{font-size:12px;fill:#444}.grid{stroke:#ddd}.legend{margin:.2rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}
</style></head><body>
<h1>${escaped(title)}</h1>
${parts.join('\n')}
</body></html>
`;
}

export function paragraph(text: string): string {
  return `<p>${escaped(text)}</p>`;
}

export function heading(text: string): string {
  return `<h2>${escaped(text)}</h2>`;
}

class Axis {
  readonly #low: number;
  readonly #high: number;
  readonly #isLogarithmic: boolean;
  readonly #from: number;
  readonly #to: number;

  /** The axis runs from the place `from` to the place `to`; `startsAtZero` holds for one that is linear. */
  constructor(
    values: readonly number[],
    isLogarithmic: boolean,
    from: number,
    to: number,
    startsAtZero: boolean,
  ) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (startsAtZero && !isLogarithmic) low = Math.min(0, low);
    if (high === low) high = low + (isLogarithmic ? low : 1);
    this.#low = isLogarithmic ? Math.log10(low) : low;
    this.#high = isLogarithmic ? Math.log10(high) : high;
    this.#isLogarithmic = isLogarithmic;
    this.#from = from;
    this.#to = to;
  }

  place(value: number): number {
    const share = ((this.#isLogarithmic ? Math.log10(value) : value) - this.#low) / (this.#high - this.#low);
    return Math.round((this.#from + share * (this.#to - this.#from)) * 10) / 10;
  }

  holds(value: number): boolean {
    const on = this.#isLogarithmic ? Math.log10(value) : value;
    return on >= this.#low - 1e-9 && on <= this.#high + 1e-9;
  }

  /** Round values: powers of ten, or steps of 1, 2 or 5 of one. */
  marks(): number[] {
    const marks: number[] = [];
    if (this.#isLogarithmic && this.#high - this.#low >= 1) {
      for (let power = Math.ceil(this.#low - 1e-9); power <= this.#high + 1e-9; power++)
        marks.push(10 ** power);
      return marks;
    }
    const low = this.#isLogarithmic ? 10 ** this.#low : this.#low;
    const high = this.#isLogarithmic ? 10 ** this.#high : this.#high;
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
    for (let mark = Math.ceil(low / step); mark * step <= high + step * 1e-6; mark++) marks.push(mark * step);
    return marks;
  }
}

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
