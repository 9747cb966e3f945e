import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { bytesText, durationText, parseTime, timeText } from '../../../src/cli/terminal/quantities.ts';
import { textTable } from '../../../src/cli/terminal/text-table.ts';

describe('quantities', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [8_388_608, '8.4 MB'],
    [99_960, '100 kB'],
    [999_600, '1.0 MB'],
    [12_345_678_901, '12.3 GB'],
  ] as const) {
    test(`${bytes} bytes are "${text}"`, () => assert.equal(bytesText(bytes), text));
  }

  for (const [seconds, text] of [
    [-3, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7_199, '120 min'],
    [7_200, '2 h'],
    [172_800, '2 days'],
  ] as const) {
    test(`${seconds} seconds are "${text}"`, () => assert.equal(durationText(seconds), text));
  }
});

describe('a moment', () => {
  const NOW = 1_700_000_000;
  for (const [text, seconds] of [
    ['now', NOW],
    ['1763700000', 1_763_700_000],
    ['2023-11-14', 1_699_920_000],
    ['2023-11-14T22:13', 1_699_999_980],
    ['2023-11-14 22:13:20', NOW],
    ['2023-11-14T22:13:20Z', NOW],
    ['2023-11-14T22:13:20.999Z', NOW],
    ['2023-11-15T00:13:20+02:00', NOW],
    ['2023-11-14T20:13:20-0200', NOW],
    ['2024-02-29T00:00:00Z', 1_709_164_800],
    ['2023-02-29T00:00:00Z', undefined],
    ['2023-13-01', undefined],
    ['2023-11-14T25:00Z', undefined],
    ['99999999999', undefined],
    ['-5', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ] as const) {
    test(`"${text}" is ${seconds ?? 'none'}`, () => assert.equal(parseTime(text, NOW), seconds));
  }

  test('is written as it is read', () => assert.equal(parseTime(timeText(NOW), 0), NOW));
});

describe('a table of text', () => {
  test('has columns as wide as their widest cell, and no space at the end of a line', () => {
    const columns = [{ title: 'N', isRight: true }, { title: 'STATE' }, { title: 'X' }];
    assert.equal(
      textTable(columns, [
        ['1', 'whole', 'a'],
        ['100', 'x', ''],
      ]),
      '  N  STATE  X\n  1  whole  a\n100  x\n',
    );
  });
});
