import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_RAW_BYTES,
  BlockAt,
  BlockTag,
  blockChecksum,
  HeaderAt,
  OBJECT_HEADER_BYTES,
  ObjectKind,
} from '../../../src/persistence/format/object-format.ts';
import { ObjectReader } from '../../../src/persistence/format/object-reader.ts';
import { ObjectWriter } from '../../../src/persistence/format/object-writer.ts';
import { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import { blockStarts, flipBit } from '../../builders/damage.ts';
import { noKeys, storeKey, storeKeys } from '../../builders/keys.ts';

const KEY = 'snapshots/0000000001-boot0001/part-00000';
const KIND = ObjectKind.snapshotPart;

const content = (number: number): Buffer => Buffer.alloc(BLOCK_RAW_BYTES, `what block ${number} says, `);

function sealed(keys: StoreKeys, blocks = 3, objectKey = KEY): Buffer {
  const writer = new ObjectWriter(KIND, objectKey, keys);
  for (let number = 0; number < blocks; number++) writer.append(BlockTag.swarms, content(number));
  return Buffer.from(writer.finish(blocks, 7));
}

function read(bytes: Uint8Array, keys: StoreKeys, objectKey = KEY) {
  const reader = new ObjectReader(bytes, { kind: KIND, tag: BlockTag.swarms, objectKey, keys });
  const numbers: number[] = [];
  for (let block = reader.next(); block !== undefined; block = reader.next()) {
    assert.deepEqual(block.raw, content(block.number), 'a block says what was never written');
    numbers.push(block.number);
  }
  const { state, damage, firstCount, secondCount, isSealedAsNew } = reader;
  return { numbers, state, damage, counts: [firstCount, secondCount], isSealedAsNew };
}

/** The object with some bytes of one block changed and its checksum made to hold again. */
function forged(bytes: Buffer, block: number, change: (block: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  const [at, end = copy.length] = blockStarts(copy).slice(block, block + 2);
  const target = copy.subarray(at, end);
  change(target);
  target.writeUInt32LE(blockChecksum(KIND, target, target.subarray(BLOCK_HEADER_BYTES)), BlockAt.checksum);
  return copy;
}

describe('a sealed object (rule D-O5)', () => {
  it('is read with the key that it was sealed with, wherever that stands among the keys', () => {
    const bytes = sealed(storeKeys(1));
    const whole = { numbers: [0, 1, 2], state: 'whole', damage: undefined, counts: [3, 7] };
    assert.deepEqual(read(bytes, storeKeys(1)), { ...whole, isSealedAsNew: true });
    assert.deepEqual(read(bytes, storeKeys(2, 3, 1)), { ...whole, isSealedAsNew: false });
  });

  it('is locked without that key, and gives nothing out', () => {
    const bytes = sealed(storeKeys(1));
    for (const keys of [noKeys(), storeKeys(2), storeKeys(2, 3)]) {
      const { numbers, state, counts } = read(bytes, keys);
      assert.deepEqual({ numbers, state, counts }, { numbers: [], state: 'locked', counts: [0, 0] });
      assert.deepEqual([...keys.locked], [KEY]);
      assert.equal(keys.hasOpened, false);
    }
  });

  it('shows nothing of what it holds, and none of the usual lengths changes', () => {
    const plain = sealed(noKeys());
    const bytes = sealed(storeKeys(1));
    assert.equal(bytes.length, plain.length);
    const start = OBJECT_HEADER_BYTES + BLOCK_HEADER_BYTES;
    let same = 0;
    for (let at = start; at < start + 24; at++) same += Number(plain[at] === bytes[at]);
    assert.ok(same < 8, `${same} of 24 bytes are as they were`);
  });

  it('is read only where it was put', () => {
    const bytes = sealed(storeKeys(1));
    assert.equal(read(bytes, storeKeys(1), KEY.replace('part-00000', 'part-00001')).state, 'locked');
  });

  it('differs each time, because its nonce does', () => {
    const keys = storeKeys(1);
    const nonces = new Set<string>();
    const writer = new ObjectWriter(KIND, KEY, keys);
    for (let object = 0; object < 5; object++, writer.reset(KEY)) {
      writer.append(BlockTag.swarms, content(0));
      const bytes = Buffer.from(writer.finish(1, 7));
      nonces.add(bytes.toString('hex', HeaderAt.nonce, HeaderAt.reserved));
      assert.deepEqual(read(bytes, storeKeys(1)).numbers, [0]);
    }
    assert.equal(nonces.size, 5);
  });

  it('gives each block a nonce of its own', () => {
    const writer = new ObjectWriter(KIND, KEY, storeKeys(1));
    // Were the nonces alike, what two blocks with the same content look like would be alike too.
    for (let number = 0; number < 300; number++) writer.append(BlockTag.swarms, content(0));
    const bytes = Buffer.from(writer.finish(1, 7));
    const contents = blockStarts(bytes).map((at) =>
      bytes.toString('hex', at + BLOCK_HEADER_BYTES, at + BLOCK_HEADER_BYTES + 12),
    );
    assert.equal(new Set(contents).size, 301);
  });

  it('does not open where a block was changed by somebody who made the checksum hold', () => {
    const bytes = sealed(storeKeys(1));
    const changes: Readonly<Record<string, (block: Buffer) => void>> = {
      content: (block) => block.fill(0x55, BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + 1),
      seal: (block) => block.fill(0x55, BlockAt.seal, BlockAt.seal + 1),
      'no seal at all': (block) => block.fill(0, BlockAt.seal, BlockAt.checksum),
      'raw bytes': (block) => block.writeUInt32LE(BLOCK_RAW_BYTES - 1, BlockAt.rawBytes),
      codec: (block) => block.fill(0, BlockAt.codec, BlockAt.codec + 1),
      'a tag that is skipped': (block) => block.fill(0x80, BlockAt.tag, BlockAt.tag + 1),
      reserved: (block) => block.fill(1, BlockAt.reserved, BlockAt.reserved + 1),
    };
    for (const [name, change] of Object.entries(changes)) {
      const { numbers, state } = read(forged(bytes, 1, change), storeKeys(1));
      assert.deepEqual({ numbers, state }, { numbers: [0, 2], state: 'damaged' }, name);
    }
    // Also the first, before it is known which key it is; and the end, without which counts are nothing.
    const first = read(forged(bytes, 0, changes.content!), storeKeys(1));
    assert.deepEqual([first.numbers, first.state], [[1, 2], 'damaged']);
    const end = read(forged(bytes, 3, changes.content!), storeKeys(1));
    assert.deepEqual([end.numbers, end.state, end.counts], [[0, 1, 2], 'damaged', [0, 0]]);
  });

  it('does not open a block under another number', () => {
    const bytes = sealed(storeKeys(1));
    const [first, second] = blockStarts(bytes);
    const renumbered = forged(bytes, 1, (block) => block.writeUInt32LE(0, BlockAt.number));
    const moved = Buffer.concat([renumbered.subarray(0, first), renumbered.subarray(second)]);
    const { numbers, state } = read(moved, storeKeys(1));
    assert.deepEqual({ numbers, state }, { numbers: [2], state: 'damaged' });
  });

  it('opens with a damaged header as long as its nonce is well', () => {
    const bytes = sealed(storeKeys(1));
    for (let at = 0; at < OBJECT_HEADER_BYTES; at++) {
      const isNonce = at >= HeaderAt.nonce && at < HeaderAt.reserved;
      for (const keys of [storeKeys(1), storeKeys(2, 1)]) {
        const { numbers, state } = read(flipBit(bytes, at, at & 7), keys);
        assert.deepEqual(
          { numbers, state },
          { numbers: isNonce ? [] : [0, 1, 2], state: 'damaged' },
          `${at}`,
        );
      }
      const { numbers, state } = read(flipBit(bytes, at, at & 7), storeKeys(2));
      assert.deepEqual({ numbers, state }, { numbers: [], state: 'damaged' }, `byte ${at}, no key`);
    }
  });

  it('is damaged, not locked, when no checksum holds', () => {
    const bytes = sealed(storeKeys(1), 0);
    const keys = storeKeys(2);
    assert.equal(read(flipBit(bytes, OBJECT_HEADER_BYTES + BLOCK_HEADER_BYTES), keys).state, 'damaged');
    assert.equal(read(bytes.subarray(0, OBJECT_HEADER_BYTES + 20), keys).state, 'damaged');
    assert.equal(keys.locked.size, 0);
  });

  it('is not taken for a plain one when somebody takes the flag away', () => {
    const bytes = sealed(storeKeys(1));
    bytes.writeUInt16LE(0, HeaderAt.flags);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, HeaderAt.checksum)), HeaderAt.checksum);
    for (const keys of [storeKeys(1), noKeys()]) {
      const { numbers, state } = read(bytes, keys);
      assert.deepEqual({ numbers, state }, { numbers: [], state: 'damaged' });
    }
  });

  it('gives out no sealed bytes as plain ones, also where nothing was compressed', () => {
    const writer = new ObjectWriter(KIND, KEY, storeKeys(1));
    writer.append(BlockTag.swarms, Buffer.from('too short to compress'));
    const bytes = Buffer.from(writer.finish(1, 7));
    assert.equal(bytes[OBJECT_HEADER_BYTES + BlockAt.codec], 0);
    const unflagged = Buffer.from(bytes);
    unflagged.writeUInt16LE(0, HeaderAt.flags);
    unflagged.writeUInt32LE(crc32(unflagged.subarray(0, HeaderAt.checksum)), HeaderAt.checksum);
    const damaged = flipBit(bytes, HeaderAt.nonce);
    for (const changed of [unflagged, damaged]) {
      const { numbers, state, counts } = read(changed, storeKeys(1));
      assert.deepEqual({ numbers, state, counts }, { numbers: [], state: 'damaged', counts: [0, 0] });
    }
  });

  it('with a flag that nobody knows yet is of a later version', () => {
    const bytes = sealed(storeKeys(1));
    bytes.writeUInt16LE(0b11, HeaderAt.flags);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, HeaderAt.checksum)), HeaderAt.checksum);
    assert.equal(read(bytes, storeKeys(1)).state, 'newer');
  });
});

describe('a plain object', () => {
  it('is read with keys as without, and is known not to be sealed as new ones are', () => {
    const bytes = sealed(noKeys());
    assert.deepEqual(read(bytes, noKeys()).isSealedAsNew, true);
    const { numbers, state, isSealedAsNew } = read(bytes, storeKeys(1));
    assert.deepEqual(
      { numbers, state, isSealedAsNew },
      { numbers: [0, 1, 2], state: 'whole', isSealedAsNew: false },
    );
  });
});

describe('the keys', () => {
  it('say what to do when they do not fit, and never what they are', () => {
    const { message, failure } = storeKeys(1, 2).lockedError('s3://bucket/x/');
    assert.equal(failure, 'locked');
    assert.match(
      message,
      /^s3:\/\/bucket\/x\/ is sealed with a key that is not in STORE_KEY: set that key, .* restart\./,
    );
    for (const number of [1, 2]) {
      assert.ok(!message.includes(Buffer.from(storeKey(number)).toString('base64').slice(0, 8)));
    }
    assert.match(noKeys().lockedError('x').message, /STORE_KEY is not set: set it to the key of this store/);
  });

  it('must be of 32 bytes', () => {
    const keys = new StoreKeys([new Uint8Array(31)], () => new Uint8Array(12));
    assert.throws(() => sealed(keys), /[Kk]ey/);
  });
});
