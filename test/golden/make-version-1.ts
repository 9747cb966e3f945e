/**
 * Writes the objects of test/golden/version-1/ or, with the word `sealed`, of test/golden/version-1-sealed/, which
 * every later version of the tracker must be able to read. They are made once and never again: what is there stays, and
 * a new format version gets a folder and a program of its own.
 *
 *   node --import tsx test/golden/make-version-1.ts [sealed]
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noKeys } from '../builders/keys.ts';
import { goldenKeys, goldenObjects } from './golden-objects.ts';

const isSealed = process.argv.includes('sealed');
const folder = join(
  dirname(fileURLToPath(import.meta.url)),
  isSealed ? 'version-1-sealed' : 'version-1',
);
for (const [key, bytes] of await goldenObjects(isSealed ? goldenKeys() : noKeys())) {
  const path = join(folder, key);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) writeFileSync(path, bytes);
}
