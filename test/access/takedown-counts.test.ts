import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HashList } from '../../src/access/hash-list.ts';
import { TakedownCounts } from '../../src/access/takedown-counts.ts';
import { HASH_KEY, infoHash, NOW } from '../builders/swarm.ts';

const HOUR = 3_600;
const DAY = 86_400;

function bans(): HashList {
  return new HashList({ hashesMax: 10_000, hashKey: HASH_KEY, doesListedWinTie: true });
}

function ban(list: HashList, atSeconds: number, ...numbers: number[]): void {
  const change = list.addChange(atSeconds, 'asked for');
  for (const number of numbers) list.apply(infoHash(number), true, change);
}

describe('the counts of takedowns', () => {
  it('are of all bans, of the last day and of the last thirty days', () => {
    const list = bans();
    ban(list, NOW - 400 * DAY, 1, 2, 3);
    ban(list, NOW - 20 * DAY, 4, 5);
    ban(list, NOW - HOUR, 6);
    assert.deepEqual(new TakedownCounts(list, 2).at(NOW), { banned: 8, lastDay: 1, lastMonth: 3 });
  });

  it('leave out what was lifted, and move what was banned again to when it was', () => {
    const list = bans();
    ban(list, NOW - 20 * DAY, 1, 2, 3);
    list.apply(infoHash(1), false, list.addChange(NOW - HOUR, 'a mistake'));
    ban(list, NOW - HOUR, 2);
    ban(list, NOW - HOUR, 2);
    assert.deepEqual(new TakedownCounts(list, 0).at(NOW), { banned: 2, lastDay: 1, lastMonth: 2 });
  });

  it('follow a change within a second, and time within a minute', () => {
    const list = bans();
    ban(list, NOW - DAY + 30, 1);
    const counts = new TakedownCounts(list, 0);
    assert.equal(counts.at(NOW).lastDay, 1);
    ban(list, NOW, 2);
    assert.equal(counts.at(NOW + 1).lastDay, 2);
    assert.equal(counts.at(NOW + 61).lastDay, 1);
  });

  it('look at the list once a second at the most, and once a minute while nothing changes', () => {
    let looks = 0;
    const list = {
      size: 5,
      changesApplied: 0,
      listedSince: (): number => {
        looks += 1;
        return 5;
      },
    };
    const counts = new TakedownCounts(list, 0);
    const looksAt = (nowSeconds: number): number => {
      looks = 0;
      counts.at(nowSeconds);
      return looks / 2;
    };
    assert.deepEqual(
      [0, 0, 1, 59].map((seconds) => looksAt(NOW + seconds)),
      [1, 0, 0, 0],
    );
    list.changesApplied = 1;
    assert.deepEqual(
      [59, 59, 60].map((seconds) => looksAt(NOW + seconds)),
      [1, 0, 0],
    );
    list.changesApplied = 2;
    assert.deepEqual(
      [60, 61, 120, 121].map((seconds) => looksAt(NOW + seconds)),
      [1, 0, 1, 0],
    );
  });
});
