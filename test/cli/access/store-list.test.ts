import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { StoreList } from '../../../src/cli/access/store-list.ts';
import { noSurroundings, type Surroundings } from '../../../src/cli/surroundings.ts';
import { isConfig, loadConfig } from '../../../src/config/config.ts';
import { seededRandom } from '../../builders/random.ts';
import { nowSeconds } from '../../builders/store.ts';
import { infoHash } from '../../builders/swarm.ts';
import { temporaryFolder } from '../../builders/tracker-process.ts';

/** Timers that keep a process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

test('a list in the store lets the command end as soon as it is closed', async (context) => {
  const surroundings: Surroundings = {
    ...noSurroundings(),
    nowSeconds,
    monotonicMs: () => performance.now(),
    random: seededRandom(1),
    randomBytes,
  };
  const { system } = surroundings;
  const env = { STORE_URL: `file:${temporaryFolder(context)}/data` };
  const config = loadConfig(env, { ...system, memoryBytes: 512 * 1024 * 1024 });
  assert.ok(isConfig(config));
  const before = timers();
  const list = await StoreList.open(surroundings, {
    name: 'bans',
    config,
    signal: new AbortController().signal,
    assertUnused: async () => {},
  });
  assert.deepEqual(await list.add([infoHash(1)], 'why'), { added: 1, alreadyListed: 0 });
  assert.deepEqual(await list.remove([infoHash(1)], () => {}), []);
  await list.close();
  assert.equal(timers(), before);
});
