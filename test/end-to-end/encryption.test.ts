import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { escaped, hashOf, peerIdOf } from '../builders/requests.ts';
import {
  type Cleanup,
  startTracker,
  type TrackerProcess,
  temporaryFolder,
} from '../builders/tracker-process.ts';
import { announce, ask, isReady } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

const TOKEN = 'a-token-for-tests-of-24-or-more';
const AUTHORIZED = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
const PEER_ID = peerIdOf(7);
const BANNED = hashOf(0xba);

describe('a tracker with STORE_KEY', () => {
  it('brings everything back with the key, and with any other or none says so and touches nothing', async (context) => {
    const folder = temporaryFolder(context);
    const [key, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];
    let tracker = await start(context, folder, key);
    await ready(tracker);
    await announce(tracker, { port: 7001, left: 0, peer_id: PEER_ID }, { from: '127.1.0.1' });
    assert.equal((await ban(tracker, BANNED)).status, 200);
    // Killed once it has saved and heard more, it leaves a snapshot, journal and a ban.
    await tracker.save();
    const saved = filesIn(folder);
    await announce(tracker, { port: 7009, left: 0, peer_id: PEER_ID }, { from: '127.1.0.9' });
    await waitUntil('the journal is stored', () =>
      [...filesIn(folder).keys()].some((path) => /^journal\/.*\/\d{10}$/.test(path) && !saved.has(path)),
    );
    await tracker.kill();
    const before = filesIn(folder);
    const folders = new Set([...before.keys()].map((path) => path.split('/')[0]));
    assert.deepEqual([...folders], ['access', 'journal', 'snapshots']);
    for (const [path, bytes] of before) {
      for (const secret of [Buffer.from(PEER_ID), Buffer.from(BANNED), Buffer.of(127, 1, 0, 1, 0x1b, 0x59)]) {
        assert.ok(!bytes.includes(secret), path);
      }
    }

    for (const wrong of [undefined, newKey]) {
      tracker = await start(context, folder, wrong);
      let readiness = '';
      await waitUntil('the restore says what is wrong', async () => {
        const { status, body } = await ask(tracker, '/readyz');
        assert.equal(status, 503);
        readiness = body.toString();
        return readiness.includes('STORE_KEY');
      });
      assert.match(readiness, wrong === undefined ? /STORE_KEY is not set/ : /not in STORE_KEY/);
      const { complete } = await announce(tracker, { port: 7002, left: 5 }, { from: '127.1.0.2' });
      assert.equal(complete, 0);
      const refused = await ban(tracker, hashOf(0xbb));
      assert.equal(refused.status, 503);
      assert.match(refused.body.toString(), /"enforced":true,"stored":false/);
      await tracker.stop();
      assert.deepEqual(filesIn(folder), before);
      const told = tracker.log.filter(({ message }) => message.startsWith('The restore cannot go on'));
      assert.equal(told.length, 1);
    }

    tracker = await start(context, folder, `${newKey},${key}`);
    await ready(tracker);
    assert.ok(await isRefused(tracker, BANNED));
    const { complete } = await announce(tracker, { port: 7002, left: 5 }, { from: '127.1.0.2' });
    assert.equal(complete, 2);
    await tracker.stop();

    // Whatever the old key sealed of bans and snapshots has one in the new beside it now.
    tracker = await start(context, folder, newKey);
    await ready(tracker);
    assert.ok(await isRefused(tracker, BANNED));
    assert.equal((await announce(tracker, { port: 7003, left: 5 }, { from: '127.1.0.3' })).complete, 2);
    await tracker.stop();
  });

  it('does not start with what is no key, and does not show it', async (context) => {
    const folder = temporaryFolder(context);
    const attempt = start(context, folder, 'correct-horse-battery-staple');
    await assert.rejects(attempt, (error: Error) => {
      assert.match(error.message, /STORE_KEY=\(hidden\): allowed is a key of 32 bytes/);
      assert.doesNotMatch(error.message, /correct-horse/);
      return true;
    });
  });
});

function start(context: Cleanup, folder: string, storeKey: string | undefined): Promise<TrackerProcess> {
  return startTracker(context, {
    environment: {
      ADMIN_TOKEN: TOKEN,
      SNAPSHOT_CRON: '0 0 29 2 *',
      JOURNAL_SECONDS: '1',
      STORE_URL: `file:${folder}`,
      ...(storeKey === undefined ? {} : { STORE_KEY: storeKey }),
    },
  });
}

function ready(tracker: TrackerProcess): Promise<void> {
  return waitUntil(
    'the tracker is ready',
    () => isReady(tracker),
    () => JSON.stringify(tracker.log),
  );
}

async function isRefused(tracker: TrackerProcess, hash: Uint8Array): Promise<boolean> {
  return (await announce(tracker, { info_hash: escaped(hash) }))['failure reason'] !== undefined;
}

function ban(tracker: TrackerProcess, hash: Uint8Array) {
  const path = `/admin/bans/${Buffer.from(hash).toString('hex')}`;
  return ask(tracker, path, { method: 'PUT', headers: AUTHORIZED, body: '{"reason":"a test"}' });
}

/** Every file below the folder with its bytes. */
function filesIn(folder: string): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const full = join(folder, path);
    if (statSync(full).isFile()) files.set(path, readFileSync(full));
  }
  return files;
}
