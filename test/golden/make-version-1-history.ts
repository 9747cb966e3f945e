/**
 * Writes the objects of test/golden/version-1-history/ or, with the word `sealed`, of
 * test/golden/version-1-history-sealed/. They are made once and never again, as those of make-version-1.ts.
 *
 *   node --import tsx test/golden/make-version-1-history.ts [sealed]
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noKeys } from '../builders/keys.ts';
import { goldenHistoryObjects } from './golden-history.ts';
import { goldenKeys } from './golden-objects.ts';

const isSealed = process.argv.includes('sealed');
const name = isSealed ? 'version-1-history-sealed' : 'version-1-history';
const folder = join(dirname(fileURLToPath(import.meta.url)), name);
for (const [key, bytes] of await goldenHistoryObjects(isSealed ? goldenKeys() : noKeys())) {
  const path = join(folder, key);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) writeFileSync(path, bytes);
}
