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
    const line = shapeOf(times, values);
    const [ground, path] = place.children;
    ground?.setAttribute('d', line === '' ? '' : `${line}V${HEIGHT}H0Z`);
    path?.setAttribute('d', line);
  }
}

/** @param {readonly number[]} times @param {readonly (number | null)[]} values @returns {string} */
function shapeOf(times, values) {
  const known = values.filter((value) => value !== null);
  const first = values.findIndex((value) => value !== null);
  if (known.length < 2) return '';
  const start = times[first] ?? 0;
  const length = Math.max(1, (times.at(-1) ?? 0) - start);
  const highest = Math.max(...known, Number.MIN_VALUE);
  let shape = '';
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    if (value !== null) {
      const x = (((times[index] ?? 0) - start) / length) * WIDTH;
      const y = HEIGHT - 1 - (value / highest) * (HEIGHT - 2);
      shape += `${isDrawing ? 'L' : 'M'}${x.toFixed(2)} ${y.toFixed(2)}`;
    }
    isDrawing = value !== null;
  }
  return shape;
}
