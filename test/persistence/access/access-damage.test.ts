import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Access, type ListName } from '../../../src/access/access.ts';
import { AccessLog } from '../../../src/persistence/access/access-log.ts';
import { AccessObjectReader, AccessObjectWriter } from '../../../src/persistence/format/access-object.ts';
import type { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import { formatInfoHash } from '../../../src/protocol/info-hash.ts';
import { damageOf, flipBit, tellingBytes } from '../../builders/damage.ts';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import { MemoryStore } from '../../builders/store.ts';
import { HASH_KEY, infoHash, NOW } from '../../builders/swarm.ts';

const KEY = 'access/boot0001/0000000001';
const OTHER = 'access/boot0002/0000000001';
/** More than a block holds. */
const HASHES = 1_000;
const REASON = 'asked for by its owner';

/** Bans, an unban and permissions in one object. */
function written(keys: StoreKeys): Uint8Array {
  const writer = new AccessObjectWriter(KEY, keys);
  const add = (list: ListName, number: number, isListed: boolean, atSeconds: number): void =>
    writer.add(list, { infoHash: infoHash(number), isListed, atSeconds, reason: REASON });
  for (let number = 0; number < HASHES; number++) add('bans', number, true, NOW);
  add('bans', HASHES, false, NOW + 1);
  for (let number = 0; number < 10; number++) add('allowed', number, true, NOW + 2);
  return writer.finish();
}

/** Every change that the object says, as lines of text. */
function read(bytes: Uint8Array, keys: StoreKeys): { readonly lines: string[]; readonly state: string } {
  const reader = new AccessObjectReader(KEY, bytes, keys);
  const lines: string[] = [];
  for (let section = reader.next(); section !== undefined; section = reader.next()) {
    const { list, isListed, atSeconds, reason, raw, at, count } = section;
    for (let index = 0; index < count; index++) {
      const hash = formatInfoHash(raw.subarray(at + 20 * index, at + 20 * index + 20));
      lines.push(`${list} ${isListed} ${atSeconds} ${reason} ${hash}`);
    }
  }
  return { lines, state: reader.state };
}

for (const [kind, writerKeys, readerKeys] of [
  ['plain', noKeys, noKeys],
  ['sealed', () => storeKeys(1), () => storeKeys(2, 1)],
] as const) {
  describe(`damage to a ${kind} object of the access lists`, () => {
    it('makes up no change, whatever and wherever it is, and is seen', () => {
      const bytes = written(writerKeys());
      const whole = read(bytes, readerKeys());
      assert.equal(whole.state, 'whole');
      assert.equal(whole.lines.length, HASHES + 11);
      const known = new Set(whole.lines);
      let salvaged = 0;
      fc.assert(
        fc.property(damageOf(bytes), (changed) => {
          const { lines, state } = read(changed, readerKeys());
          for (const line of lines) assert.ok(known.has(line), `made up: ${line}`);
          if (Buffer.compare(changed, bytes) === 0) return;
          assert.equal(state, 'damaged');
          if (lines.length > 0) salvaged += 1;
        }),
        { numRuns: 1_000, seed: 42 },
      );
      assert.ok(salvaged > 200, `${salvaged} gave some changes back`);
    });

    it('is seen in every byte, by a flip and by a cut', () => {
      const bytes = written(writerKeys());
      const keys = readerKeys();
      for (let at = 0; at < bytes.length; at += at < 200 ? 1 : 7) {
        assert.equal(read(flipBit(bytes, at, at & 7), keys).state, 'damaged', `byte ${at}`);
        assert.equal(read(bytes.subarray(0, at), keys).state, 'damaged', `cut at ${at}`);
      }
    });

    it('leaves the rest of the lists in force, is named in the log, and stays as it is through a fold', async () => {
      const bytes = written(writerKeys());
      const other = new AccessObjectWriter(OTHER, writerKeys());
      other.add('bans', { infoHash: infoHash(5_000), isListed: true, atSeconds: NOW, reason: REASON });
      const otherBytes = other.finish();
      for (const at of tellingBytes(bytes)) {
        for (const damaged of [flipBit(bytes, at, at & 7), bytes.subarray(0, at)]) {
          const store = new MemoryStore();
          store.objects.set(KEY, { bytes: damaged, lastModifiedSeconds: NOW });
          store.objects.set(OTHER, { bytes: otherBytes, lastModifiedSeconds: NOW });
          const access = new Access({
            mode: 'open',
            hashKey: HASH_KEY,
            bannedByEnvironment: [],
            allowedByEnvironment: [],
            hashesMax: 5_000,
          });
          const log = memoryLog();
          const accessLog = new AccessLog({
            store,
            access,
            keys: readerKeys(),
            boot: 'boot0003',
            dropSwarm: () => {},
            nowSeconds: () => NOW,
            monotonicMs: () => performance.now(),
            log,
            retryMs: 1,
            foldObjectsMin: 1,
          });
          assert.equal(await accessLog.load(new AbortController().signal), true);
          while (store.objects.has(OTHER)) await new Promise((resolve) => setImmediate(resolve));
          await accessLog.close(new AbortController().signal);
          assert.equal(access.isServed(infoHash(5_000)), false);
          for (const number of [HASHES, HASHES + 1, 4_999]) assert.ok(access.isServed(infoHash(number)));
          assert.deepEqual(store.objects.get(KEY)!.bytes, damaged);
          const named = log.lines.filter(({ level, fields }) => level === 'error' && fields.key === KEY);
          assert.equal(named.length, 1, `byte ${at}`);
        }
      }
    });
  });
}
