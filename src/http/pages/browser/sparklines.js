/** Small lines below the big figures: the shape of the time that the plots show. For the eye only. */
/** @import { History } from './history.js' */

const WIDTH = 100;
const HEIGHT = 24;
const SVG = 'http://www.w3.org/2000/svg';

/** @param {Iterable<Element>} places each names its series in `data-spark` @param {History} history */
export function drawSparklines(places, history) {
  for (const place of places) {
    const [times, values = []] = history.columns([place.getAttribute('data-spark') ?? '']);
    if (place.childElementCount === 0) {
      place.append(document.createElementNS(SVG, 'path'), document.createElementNS(SVG, 'path'));
    }
    const runs = runsOf(times, values);
    const [ground, path] = place.children;
    ground?.setAttribute(
      'd',
      runs.map((run) => `M${run[0]?.[0]} ${HEIGHT}L${shapeOf(run)}L${run.at(-1)?.[0]} ${HEIGHT}Z`).join(''),
    );
    path?.setAttribute('d', runs.map((run) => `M${shapeOf(run)}`).join(''));
  }
}

/** @typedef {readonly [x: string, y: string]} Point */

/**
 * Points from one hole to the next.
 *
 * @param {readonly number[]} times @param {readonly (number | null)[]} values @returns {Point[][]}
 */
function runsOf(times, values) {
  const known = values.filter((value) => value !== null);
  const start = times[values.findIndex((value) => value !== null)] ?? 0;
  const length = Math.max(1, (times.at(-1) ?? 0) - start);
  const highest = Math.max(...known, Number.MIN_VALUE);
  /** @type {Point[][]} */
  const runs = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    if (index === 0 || values[index - 1] === null) runs.push([]);
    const x = (((times[index] ?? 0) - start) / length) * WIDTH;
    const y = HEIGHT - 1 - (value / highest) * (HEIGHT - 2);
    runs.at(-1)?.push([x.toFixed(2), y.toFixed(2)]);
  }
  return runs;
}

/** @param {readonly Point[]} run @returns {string} */
function shapeOf(run) {
  return run.map(([x, y]) => `${x} ${y}`).join('L');
}
