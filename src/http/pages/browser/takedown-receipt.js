/** What an operator sends to who asked for a takedown: a text that says what was done, when, and for which hashes. */
import { count, counted } from './formats.js';

/** @type {Readonly<Record<import('./takedown.js').HashState, string>>} */
const WORDS = {
  banned: 'banned',
  'banned-before': 'banned before',
  'not-stored': 'banned; the record is still to be stored',
};

/**
 * @param {Pick<import('./takedown.js').Takedown, 'states' | 'invalidLines' | 'reason' | 'linesDone' | 'linesTotal'>} takedown
 * @param {{ readonly tracker: string, readonly date: Date }} of the announce URL or host, and when it was done
 * @returns {string}
 */
export function takedownReceipt(takedown, { tracker, date }) {
  const { states, invalidLines, reason, linesDone, linesTotal } = takedown;
  const before = [...states.values()].filter((state) => state === 'banned-before').length;
  const time = date.toISOString();
  const rows = [
    ['Tracker', tracker],
    ['Date', `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`],
    ...(reason === '' ? [] : [['Reason', reason]]),
    [
      'Banned',
      `${counted(states.size, 'info hash', 'info hashes')}${before === 0 ? '' : `, ${count(before)} of them before`}`,
    ],
    ...(invalidLines.length === 0
      ? []
      : [
          [
            'Left out',
            `${counted(invalidLines.length, 'line', 'lines')} without an info hash: ${ranges(invalidLines)}`,
          ],
        ]),
    ...(linesDone === linesTotal
      ? []
      : [['Not done', `${counted(linesTotal - linesDone, 'line', 'lines')} from line ${linesDone + 1} on`]]),
  ];
  return [
    'Takedown receipt',
    '',
    ...rows.map(([name, value]) => `${`${name}:`.padEnd(10)}${value}`),
    '',
    ...(states.size === 0
      ? []
      : ['The tracker has forgotten the peers of these info hashes and answers no announce for them.', '']),
    ...[...states].map(([infoHash, state]) => `${infoHash}  ${WORDS[state]}`),
    '',
  ].join('\n');
}

/**
 * @param {readonly number[]} numbers rising
 * @returns {string} as `3, 17–19`
 */
function ranges(numbers) {
  /** @type {[number, number][]} */
  const runs = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}
