/**
 * Writes the objects of test/golden/version-1/, which every later version of the tracker must be able to read.
 * They are made once and never again: run this only to make those of a new format version, under its own name.
 *
 *   node --import tsx test/golden/make-version-1.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AccessObjectWriter } from '../../src/persistence/access-object.ts';
import { noKeys } from '../builders/keys.ts';
import { makeSaver } from '../builders/snapshots.ts';
import { MemoryStore } from '../builders/store.ts';
import { infoHash, NOW } from '../builders/swarm.ts';
import { goldenTable } from './golden-table.ts';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'version-1');
const store = new MemoryStore();
store.clockOffsetSeconds = 30;
await makeSaver(store, goldenTable(), { boot: 'golden0001' }).save('schedule');

const accessKey = 'access/golden0001/0000000001';
const changes = new AccessObjectWriter(accessKey, noKeys());
const at = NOW - 1_000;
for (let number = 0; number < 1_000; number++) {
  changes.add('bans', { infoHash: infoHash(number), isListed: true, atSeconds: at, reason: 'a list' });
}
changes.add('bans', { infoHash: infoHash(5), isListed: false, atSeconds: at + 1, reason: 'ein Irrtum, schön' });
changes.add('allowed', { infoHash: infoHash(2_000), isListed: true, atSeconds: at + 2, reason: '' });
store.objects.set(accessKey, { bytes: changes.finish(), lastModifiedSeconds: NOW });

for (const [key, { bytes }] of store.objects) {
  const path = join(folder, key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
