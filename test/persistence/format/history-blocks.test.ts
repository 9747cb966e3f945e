import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeHistoryBlock,
  HistoryBlockReader,
  historyBlocks,
} from '../../../src/persistence/format/history-blocks.ts';
import { BLOCK_RAW_BYTES, BlockTag, ObjectKind } from '../../../src/persistence/format/object-format.ts';
import { ObjectReader } from '../../../src/persistence/format/object-reader.ts';
import { ObjectWriter } from '../../../src/persistence/format/object-writer.ts';
import { History, type HistoryPoints } from '../../../src/stats/history.ts';
import { SERIES_COUNT } from '../../../src/stats/history-series.ts';
import { damageOf } from '../../builders/damage.ts';
import { addMinutes } from '../../builders/history-points.ts';
import { noKeys } from '../../builders/keys.ts';

const START = 1_700_000_400;
const KEY = 'snapshots/0000000001-boot0001/part-00000';

function minutes(count: number): HistoryPoints {
  const history = new History();
  addMinutes(history, START, count);
  return history.ownMinutesAfter(0)!;
}

function decoded(points: HistoryPoints | undefined, restarts = 3, offsetSeconds = 0) {
  return [...historyBlocks(points, restarts, offsetSeconds)].map((block) => decodeHistoryBlock(block)!);
}

describe('a block of the history', () => {
  it('brings back points, holes, restarts and the store’s time', () => {
    const history = new History();
    addMinutes(history, START - 600, 2);
    addMinutes(history, START, 1);
    const points = history.ownMinutesAfter(0)!;
    const [block, ...more] = decoded(points, 3, 17);
    assert.deepEqual(more, []);
    assert.equal(block?.restarts, 3);
    assert.deepEqual(block?.points, { ...points, endSeconds: START + 17 });
  });

  it('is no larger than others, and needs none of them', () => {
    const points = minutes(1_440);
    const blocks = [...historyBlocks(points, 0, 0)];
    assert.equal(blocks.length, 5);
    for (const block of blocks) assert.ok(block.length <= BLOCK_RAW_BYTES);
    const [whole, parts] = [new History(), new History()];
    whole.restore(points, START);
    for (const { points: some } of decoded(points).reverse()) parts.restore(some, START);
    assert.deepEqual(parts.document('day', START), whole.document('day', START));
  });

  it('may tell only how often trackers were restarted', () => {
    const [block] = decoded(undefined, 9);
    assert.deepEqual([block?.restarts, block?.points.count], [9, 0]);
    const history = new History();
    history.restore(block!.points, START);
    assert.deepEqual(history.points, []);
  });

  it('of a later version, with more series or fewer, is read as far as they are known', () => {
    const [plain] = [...historyBlocks(minutes(2), 0, 0)];
    const more = Buffer.concat([plain!, Buffer.alloc(8)]);
    more[12] = SERIES_COUNT + 1;
    assert.deepEqual(decodeHistoryBlock(more), decodeHistoryBlock(plain!));
    const fewer = Buffer.from(plain!.subarray(0, plain!.length - 8));
    fewer[12] = SERIES_COUNT - 1;
    const { values } = decodeHistoryBlock(fewer)!.points;
    assert.deepEqual([...values.subarray(-2)], [Number.NaN, Number.NaN]);
    assert.ok(!Number.isNaN(values.at(-5)));
  });

  it('of nonsense is none, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const block = decodeHistoryBlock(Buffer.from(bytes));
        if (block !== undefined) assert.equal(block.points.values.length, block.points.count * SERIES_COUNT);
        const history = new History();
        if (block !== undefined) history.restore(block.points, START);
      }),
    );
    assert.equal(decodeHistoryBlock(Buffer.alloc(15)), undefined);
  });
});

describe('blocks of the history in an object', () => {
  function object(): Uint8Array {
    const writer = new ObjectWriter(ObjectKind.snapshotPart, KEY, noKeys());
    writer.append(BlockTag.swarms, Buffer.from('swarms'));
    for (const block of historyBlocks(minutes(1_000), 2, 0)) writer.append(BlockTag.history, block);
    writer.append(BlockTag.swarms, Buffer.from('more swarms'));
    return writer.finish(0, 0);
  }

  it('are passed over by who reads the others', () => {
    const reader = new ObjectReader(object(), {
      kind: ObjectKind.snapshotPart,
      tag: BlockTag.swarms,
      objectKey: KEY,
      keys: noKeys(),
    });
    assert.deepEqual(
      [reader.next()?.raw.toString(), reader.next()?.raw.toString()],
      ['swarms', 'more swarms'],
    );
    assert.equal(reader.next(), undefined);
    assert.equal(reader.state, 'whole');
  });

  it('are read in between them, each for itself when one is damaged', () => {
    const bytes = object();
    const known = new History();
    known.restore(minutes(1_000), START);
    const peers = new Set(known.document('day', START).series.peers);
    let [read, lost] = [0, 0];
    fc.assert(
      fc.property(damageOf(bytes), (damaged) => {
        const reader = new HistoryBlockReader(ObjectKind.snapshotPart, KEY, damaged, noKeys());
        const history = new History();
        for (let block = reader.next(); block !== undefined; block = reader.next()) {
          history.restore(block.points, START);
        }
        const found = history.document('day', START).series.peers.filter((value) => value !== null);
        for (const value of found) assert.ok(peers.has(value), `made up: ${value}`);
        read += Number(found.length > 0);
        lost += Number(found.length < 1_000);
      }),
      { numRuns: 300, seed: 42 },
    );
    assert.ok(read > 100 && lost > 100, `${read} read, ${lost} lost something`);
  });
});
