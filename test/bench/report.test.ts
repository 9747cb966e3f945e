import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { describe } from 'node:test';
import type { CostRow } from '../../bench/announce-cost.ts';
import { laneFailures, mixedTable, type Results } from '../../bench/report.ts';
import { writeResults } from '../../bench/results.ts';
import { savingTable } from '../../bench/saving.ts';
import { temporaryFolder } from '../builders/tracker-process.ts';

const row = (key: string, laneShare: number): CostRow => ({
  key,
  name: key,
  rounds: [],
  medians: { mixed: { microseconds: 30, perSecond: 1 } },
  laneShare,
});

describe('the lane’s share of the mixed run', () => {
  test('fails the run below 98 %, and the table says so', () => {
    const costs = [row('trakx', 0.979)];
    assert.equal(laneFailures(costs).length, 1);
    const { notes } = mixedTable({ costs } as unknown as Results);
    assert.match(notes[0] ?? '', /^FAILED: .*97\.90 %/);
  });

  test('is well from 98 % on, and of no matter where the lane is off', () => {
    assert.deepEqual(laneFailures([row('trakx', 0.98), row('trakx-no-lane', 0)]), []);
  });
});

test('the share of saving follows from the price of a snapshot and of a minute of journal', () => {
  const turn = (saving: number, collector: number) => ({ cpu: 9, busy: 8, saving, collector });
  const round = {
    journal: turn(0.06, 0.1),
    snapshot: turn(1.76, 0.2),
    unasked: 0,
    snapshotBytes: 1,
    snapshotMs: 1,
  };
  const { rows } = savingTable({
    peers: 1,
    swarms: 1,
    scale: 1,
    turnSeconds: 60,
    announcesPerSecond: 1_000,
    rounds: [round],
  });
  const shares = rows.slice(-3).map((cells) => cells[4]);
  // (1.8 s / 3 + 0.06 s) / 60 s; 14 and 30 minutes alike.
  assert.match(shares[0] ?? '', /: 1\.10 % .*MISSED/);
  assert.match(shares[1] ?? '', /: 0\.31 % .*MISSED/);
  assert.match(shares[2] ?? '', /: 0\.20 % .*reached/);
});

test('tables are written as Markdown, and a second writing of the same run takes the place of the first', (context) => {
  const writing = {
    folder: temporaryFolder(context),
    name: 'servers',
    date: '2026-01-02T03:04:05.678Z',
    machine: 'M',
    results: {},
    page: '',
  };
  writeResults({ ...writing, tables: [] });
  const table = { title: 'T', header: ['a', 'b'], rows: [['x|y', '1']], notes: ['n'] };
  const paths = writeResults({ ...writing, tables: [table] });
  const markdown = readFileSync(paths.find((path) => path.endsWith('.md'))!, 'utf8');
  assert.equal(markdown, 'M\n\n### T\n\n| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n\n- n\n');
});
