import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { HISTORY_SERIES } from '../../src/stats/history-series.ts';
import { liveReport } from '../../src/stats/stats-report.ts';
import { wellGauges } from './gauges.ts';

const OPERATIONS = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const STATISTICS = /^## Statistics\n(.*?)^## /ms.exec(OPERATIONS)?.[1] ?? '';

/** `store.operations.puts`, `clients`, …: the way to every value, lists and their items as one. */
function pathsOf(value: object, above = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = above + key;
    const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return isObject ? pathsOf(inner, `${path}.`) : [path];
  });
}

function rowOf(path: string): string | undefined {
  const [first] = path.split('.');
  const last = path.split('.').at(-1)!;
  return STATISTICS.split('\n').find(
    (line) => line.includes(`\`${first}`) && new RegExp(`[\`.]${last}\``).test(line),
  );
}

describe('docs/operations.md', () => {
  const gauges = wellGauges();
  gauges.announceWindow.tick(60);
  for (const path of pathsOf(liveReport(gauges))) {
    it(`says what ${path} is`, () => assert.ok(rowOf(path), `${path} is not in the table`));
  }

  for (const { name } of HISTORY_SERIES) {
    it(`says what the series ${name} is`, () => assert.ok(STATISTICS.includes(`\`${name}\``)));
  }
});
