import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AccessObjectReader, AccessObjectWriter } from '../../src/persistence/access-object.ts';
import { decodeManifest } from '../../src/persistence/manifest.ts';
import { ObjectKind, readObjectHeader } from '../../src/persistence/object-format.ts';
import { noKeys } from '../builders/keys.ts';
import { contents } from '../builders/saved-swarms.ts';
import { restore } from '../builders/snapshots.ts';
import { MemoryStore } from '../builders/store.ts';
import { infoHash, NOW, swarmTable } from '../builders/swarm.ts';
import { goldenTable } from '../golden/golden-table.ts';

const SNAPSHOT = 'snapshots/0000000001-golden0001/';
const ACCESS = 'access/golden0001/0000000001';
const golden = (key: string): Buffer => readFileSync(new URL(`../golden/version-1/${key}`, import.meta.url));

describe('objects written by format version 1', () => {
  it('still bring back the table that was saved', async () => {
    const store = new MemoryStore();
    // They were written when the store's clock was 30 s ahead of the writer's.
    store.clockOffsetSeconds = 30;
    for (const key of [`${SNAPSHOT}part-00000`, `${SNAPSHOT}manifest`]) {
      store.objects.set(key, { bytes: golden(key), lastModifiedSeconds: NOW });
    }
    const table = swarmTable({ peersMax: 5_000, swarmsMax: 2_000 });
    const restorer = await restore(store, table);
    assert.equal(restorer.progress.snapshot, SNAPSHOT);
    assert.deepEqual(restorer.progress.damaged, []);
    assert.equal(table.peers, 1_500);
    assert.deepEqual(contents(table, NOW), contents(goldenTable(), NOW));
  });

  it('still say what the manifest says', () => {
    assert.deepEqual(decodeManifest(`${SNAPSHOT}manifest`, golden(`${SNAPSHOT}manifest`), noKeys()), {
      number: 1,
      boot: 'golden0001',
      takenAtSeconds: NOW + 30,
      partBytes: [golden(`${SNAPSHOT}part-00000`).length],
      swarms: 401,
      peers: 1_500,
      cutSequence: 0,
      vector: {},
    });
  });

  it('still hold the bans and allowed hashes', () => {
    const reader = new AccessObjectReader(ACCESS, golden(ACCESS), noKeys());
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
