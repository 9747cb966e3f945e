import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import { History } from '../../../src/stats/history.ts';
import { addMinutes, MINUTE } from '../../builders/history-points.ts';
import { noKeys } from '../../builders/keys.ts';
import { SimulatedTracker } from '../../builders/simulated-tracker.ts';
import { MemoryStore } from '../../builders/store.ts';
import {
  BEHIND_SECONDS,
  EARLIER_RESTARTS,
  goldenHistory,
  HISTORY_END,
  PEERS,
} from '../../golden/golden-history.ts';
import { goldenKeys } from '../../golden/golden-objects.ts';

async function restored(folder: string, keys: StoreKeys, history: History | undefined) {
  const shared = new MemoryStore();
  const root = new URL(`../../golden/${folder}/`, import.meta.url);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    const key = path.slice(path.indexOf(`${folder}/`) + folder.length + 1);
    shared.objects.set(key, { bytes: readFileSync(path), lastModifiedSeconds: HISTORY_END });
  }
  assert.equal(shared.objects.size, 5, [...shared.objects.keys()].join(', '));
  const tracker = new SimulatedTracker({
    boot: 'golden0006',
    shared,
    keys,
    trueSeconds: () => HISTORY_END + BEHIND_SECONDS + 2 * MINUTE,
    ...(history === undefined ? {} : { history }),
  });
  await tracker.start();
  assert.deepEqual(tracker.log.messages('error'), []);
  assert.deepEqual(tracker.restorer.progress.damaged, []);
  return tracker;
}

for (const [folder, keys] of [
  ['version-1-history', noKeys],
  ['version-1-history-sealed', goldenKeys],
] as const) {
  describe(`objects with history in ${folder}`, () => {
    it('still bring back every point, and the peers', async () => {
      const history = new History();
      const { table } = await restored(folder, keys(), history);
      assert.equal(table.peers, PEERS);
      assert.equal(history.restarts, EARLIER_RESTARTS + 2);
      const expected = goldenHistory();
      addMinutes(expected, HISTORY_END + 2 * MINUTE, 2);
      for (const span of ['day', 'week'] as const) {
        const now = HISTORY_END + 2 * MINUTE;
        assert.deepEqual(history.document(span, now), expected.document(span, now));
      }
    });

    it('bring back the peers of who wants no history', async () => {
      assert.equal((await restored(folder, keys(), undefined)).table.peers, PEERS);
    });
  });
}
