import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import { AccessObjectReader, AccessObjectWriter } from '../../../src/persistence/format/access-object.ts';
import { decodeManifest } from '../../../src/persistence/format/manifest.ts';
import { ObjectKind, readObjectHeader } from '../../../src/persistence/format/object-format.ts';
import type { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import type { SwarmTable } from '../../../src/swarm/swarm-table.ts';
import { announceTo } from '../../builders/announces.ts';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import { contents } from '../../builders/saved-swarms.ts';
import { SimulatedTracker } from '../../builders/simulated-tracker.ts';
import { restore } from '../../builders/snapshots.ts';
import { MemoryStore } from '../../builders/store.ts';
import { infoHash, NOW, swarmTable } from '../../builders/swarm.ts';
import {
  ACCESS_KEY,
  GOLDEN_KEY,
  GOLDEN_SEGMENTS,
  goldenKeys,
  JOURNAL_BOOT,
  SEGMENT_KEYS,
} from '../../golden/golden-objects.ts';
import { goldenTable } from '../../golden/golden-table.ts';

const SNAPSHOT = 'snapshots/0000000001-golden0001/';
const ACCESS = ACCESS_KEY;
/** Header; header and content of the block; header and content of the end block. */
const SEALED_BAN = [
  '5452414b580d0a1a03010100f0f1f2f3f4f5f6f7f8f9fa0100000000924ef693',
  'b154424c00000000220000002200000000040000909ae27124e9d2026215e03fd2c062a6e830f484',
  '23015cfe7cab9398a9f4890542b2d119a050a1001f0bb0b95cb13802a6e438e1182c',
  'b154424c010000000c0000000c000000000100003997a58bb736db6046923bd1c6eff464fdfa1461',
  '06f0591336a52a48e1611718',
].join('');

function goldenIn(folder: string): (key: string) => Buffer {
  return (key) => readFileSync(new URL(`../../golden/${folder}/${key}`, import.meta.url));
}

const golden = goldenIn('version-1');

describe('plain objects written by format version 1', () => {
  theyStillLoad('version-1', noKeys);

  it('still load with a key set', async () => {
    assert.equal((await restored('version-1', goldenKeys())).peers, 1_500);
  });

  it('have these first bytes', () => {
    assert.equal(
      golden(`${SNAPSHOT}part-00000`).subarray(0, 28).toString('hex'),
      `5452414b580d0a1a${'01'}${'01'}${'0000'}${'00'.repeat(12)}${'00000000'}`,
    );
    assert.equal(golden(`${SNAPSHOT}part-00000`).subarray(32, 40).toString('hex'), 'b154424c00000000');
    assert.equal(readObjectHeader(golden(ACCESS), ObjectKind.accessChange), 'readable');
  });

  it('are what this version writes still, where nothing is compressed', () => {
    const writer = new AccessObjectWriter(ACCESS, noKeys());
    writer.add('bans', {
      infoHash: Uint8Array.from({ length: 20 }, (_, at) => at),
      isListed: true,
      atSeconds: 1,
      reason: 'é',
    });
    const hex = Buffer.from(writer.finish()).toString('hex');
    const content = `01010200${'01000000'}${'01000000'}c3a9${'000102030405060708090a0b0c0d0e0f10111213'}`;
    assert.ok(
      hex.includes(
        `b154424c${'00000000'}${'22000000'}${'22000000'}${'00'}${'04'}${'0000'}${'00'.repeat(16)}`,
      ),
    );
    assert.ok(hex.includes(content));
  });
});

describe('sealed objects written by format version 1', () => {
  const sealed = goldenIn('version-1-sealed');
  theyStillLoad('version-1-sealed', goldenKeys);

  it('stay shut without their key', async () => {
    for (const keys of [noKeys(), storeKeys(2)]) {
      assert.equal(decodeManifest(`${SNAPSHOT}manifest`, sealed(`${SNAPSHOT}manifest`), keys), 'locked');
    }
  });

  it('have these first bytes', () => {
    assert.equal(
      sealed(`${SNAPSHOT}part-00000`).subarray(0, 28).toString('hex'),
      `5452414b580d0a1a${'01'}${'01'}${'0100'}${'f0f1f2f3f4f5f6f7f8f9fa01'}${'00000000'}`,
    );
    assert.equal(sealed(`${SNAPSHOT}part-00000`).subarray(32, 40).toString('hex'), 'b154424c00000000');
  });

  it('open by the book, with nothing but what docs/storage-format.md says', () => {
    for (const key of [`${SNAPSHOT}part-00000`, `${SNAPSHOT}manifest`, ACCESS, ...SEGMENT_KEYS]) {
      const bytes = sealed(key);
      let blocks = 0;
      for (let at = 32; at < bytes.length; blocks++) {
        const header = bytes.subarray(at, at + 40);
        const content = bytes.subarray(at + 40, at + 40 + header.readUInt32LE(8));
        const nonce = Buffer.from(bytes.subarray(12, 24));
        nonce.writeUInt32LE((nonce.readUInt32LE(8) ^ header.readUInt32LE(4)) >>> 0, 8);
        const decipher = createDecipheriv('aes-256-gcm', GOLDEN_KEY, nonce);
        decipher.setAAD(Buffer.concat([Buffer.from(key), header.subarray(0, 20)]));
        decipher.setAuthTag(header.subarray(20, 36));
        const opened = Buffer.concat([decipher.update(content), decipher.final()]);
        const raw = header[16] === 1 ? brotliDecompressSync(opened) : opened;
        assert.equal(raw.length, header.readUInt32LE(12));
        at += 40 + content.length;
      }
      assert.ok(blocks >= 2, key);
    }
  });

  it('are what this version writes still, where nothing is compressed', () => {
    const writer = new AccessObjectWriter(ACCESS, goldenKeys());
    const hash = Uint8Array.from({ length: 20 }, (_, at) => at);
    writer.add('bans', { infoHash: hash, isListed: true, atSeconds: 1, reason: 'é' });
    assert.equal(Buffer.from(writer.finish()).toString('hex'), SEALED_BAN);
  });
});

function theyStillLoad(folder: string, keys: () => StoreKeys): void {
  const of = goldenIn(folder);

  it('still bring back the table that was saved', async () => {
    const table = await restored(folder, keys());
    assert.equal(table.peers, 1_500);
    assert.deepEqual(contents(table, NOW), contents(goldenTable(), NOW));
  });

  it('still say what the manifest says', () => {
    assert.deepEqual(decodeManifest(`${SNAPSHOT}manifest`, of(`${SNAPSHOT}manifest`), keys()), {
      number: 1,
      boot: 'golden0001',
      takenAtSeconds: NOW + 30,
      partBytes: [of(`${SNAPSHOT}part-00000`).length],
      swarms: 401,
      peers: 1_500,
      cutSequence: 0,
      vector: {},
    });
  });

  it('still bring back what the journal tells of', async () => {
    const store = new MemoryStore();
    for (const key of SEGMENT_KEYS) store.objects.set(key, { bytes: of(key), lastModifiedSeconds: NOW });
    // A reader whose clock is a minute behind the store's, and so half a minute behind the writer's.
    const start = { shared: store, keys: keys(), trueSeconds: () => NOW + 60 };
    const reader = new SimulatedTracker({ ...start, boot: 'golden0003', behindSeconds: 60 });
    await reader.start();
    assert.ok(reader.restorer.isSettled);
    assert.deepEqual(reader.log.messages('error'), []);
    assert.deepEqual([...reader.others.vector], [[JOURNAL_BOOT, 2]]);
    const heard = new SimulatedTracker({
      ...start,
      boot: 'golden0004',
      keys: noKeys(),
      shared: new MemoryStore(),
    });
    for (const one of GOLDEN_SEGMENTS.flat()) announceTo(heard.tracker, one, NOW - 30);
    assert.equal(reader.table.peers, 400 - 20 + 1);
    assert.deepEqual(contents(reader.table, NOW), contents(heard.table, NOW));
    assert.equal(reader.table.totals.completed, heard.table.totals.completed);
  });

  it('still hold the bans and allowed hashes', () => {
    const reader = new AccessObjectReader(ACCESS, of(ACCESS), keys());
    const sections = [];
    for (let section = reader.next(); section !== undefined; section = reader.next()) sections.push(section);
    assert.equal(reader.state, 'whole');
    assert.deepEqual(
      sections
        .slice(-2)
        .map(({ list, isListed, atSeconds, reason, count }) => [list, isListed, atSeconds, reason, count]),
      [
        ['bans', false, NOW - 999, 'ein Irrtum, schön', 1],
        ['allowed', true, NOW - 998, '', 1],
      ],
    );
    const banned = sections.filter(({ isListed, list }) => isListed && list === 'bans');
    assert.equal(
      banned.reduce((sum, { count }) => sum + count, 0),
      1_000,
    );
    assert.deepEqual(banned[0]!.raw.subarray(banned[0]!.at, banned[0]!.at + 20), Buffer.from(infoHash(0)));
  });
}

async function restored(folder: string, keys: StoreKeys): Promise<SwarmTable> {
  const store = new MemoryStore();
  // They were written when the store's clock was 30 s ahead of the writer's.
  store.clockOffsetSeconds = 30;
  for (const key of [`${SNAPSHOT}part-00000`, `${SNAPSHOT}manifest`]) {
    store.objects.set(key, { bytes: goldenIn(folder)(key), lastModifiedSeconds: NOW });
  }
  const table = swarmTable({ peersMax: 5_000, swarmsMax: 2_000 });
  const restorer = await restore(store, table, { keys });
  assert.equal(restorer.progress.snapshot, SNAPSHOT);
  assert.deepEqual(restorer.progress.damaged, []);
  return table;
}
