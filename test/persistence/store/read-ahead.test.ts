import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inTurn } from '../../../src/persistence/store/read-ahead.ts';

describe('reading ahead', () => {
  it('gives each item with what was read of it, in order, whichever read is done first', async () => {
    const done: ((value: string) => void)[] = [];
    const read = (): Promise<string> => new Promise((resolve) => done.push(resolve));
    const reading = inTurn(['a', 'b', 'c'], read, 3);
    const first = reading.next();
    for (const [index, value] of ['of a', 'of b', 'of c'].entries()) done[2 - index]!(value);
    assert.deepEqual((await first).value, ['a', 'of c']);
    assert.deepEqual((await reading.next()).value, ['b', 'of b']);
    assert.deepEqual((await reading.next()).value, ['c', 'of a']);
    assert.equal((await reading.next()).done, true);
  });

  it('has no more under way than it may, beside the one that is worked on', async () => {
    let begun = 0;
    const read = async (): Promise<void> => {
      begun += 1;
    };
    let worked = 0;
    for await (const [item] of inTurn([1, 2, 3, 4, 5, 6], read, 2)) {
      worked += 1;
      assert.equal(item, worked);
      assert.equal(begun, Math.min(6, worked + 2));
    }
    assert.equal(worked, 6);
  });

  it('fails as the first read does, and leaves no other failure unhandled', async () => {
    const read = (item: number): Promise<number> =>
      item < 2 ? Promise.resolve(item) : Promise.reject(new Error(`no ${item}`));
    const seen: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const [item] of inTurn([1, 2, 3], read, 3)) seen.push(item);
    };
    await assert.rejects(reading, /no 2/);
    assert.deepEqual(seen, [1]);
  });
});
