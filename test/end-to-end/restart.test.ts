import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { escaped, hashOf, peerIdOf } from '../builders/requests.ts';
import {
  type Cleanup,
  startTracker,
  type TrackerProcess,
  temporaryFolder,
} from '../builders/tracker-process.ts';
import { startGatedStore } from './gated-store.ts';
import { announce, ask, isReady, statistics } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

type Environment = Readonly<Record<string, string>>;

const TOKEN = 'a-token-for-tests-of-24-or-more';
const AUTHORIZED = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
const BANNED = hashOf(0xba);
const BANNED_HEX = Buffer.from(BANNED).toString('hex');

/** A store for one test, as the environment that names it. */
const stores: Readonly<Record<string, (context: Cleanup) => Promise<Environment>>> = {
  'a directory': async (context) => ({ STORE_URL: `file:${temporaryFolder(context)}` }),
  'an S3 server': async (context) => (await startGatedStore(context)).environment,
};

for (const [name, openStore] of Object.entries(stores)) {
  describe(`a tracker with ${name} as its store`, () => {
    it('knows the peers and the downloads of its last save after a SIGKILL', async (context) => {
      const storeEnvironment = await openStore(context);
      let tracker = await startReady(context, storeEnvironment);
      await announceThree(tracker);
      await tracker.save();
      await tracker.kill();
      tracker = await startReady(context, storeEnvironment);
      await assertThreeAreKnown(tracker);
      const { savedSecondsAgo } = (await statistics(tracker)).store;
      assert.ok(typeof savedSecondsAgo === 'number' && savedSecondsAgo >= 0, 'and how old that save is');
      await tracker.stop();
    });

    it('knows every peer and download after a SIGTERM, which needs no save before', async (context) => {
      const storeEnvironment = await openStore(context);
      let tracker = await startReady(context, storeEnvironment);
      await announceThree(tracker);
      assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
      tracker = await startReady(context, storeEnvironment);
      await assertThreeAreKnown(tracker);
      await tracker.stop();
    });

    it('keeps a ban, and its end, from the moment it has acknowledged them', async (context) => {
      const storeEnvironment = await openStore(context);
      let tracker = await startReady(context, storeEnvironment);
      const body = JSON.stringify({ reason: 'a takedown request' });
      const banned = await ask(tracker, `/admin/bans/${BANNED_HEX}`, {
        method: 'PUT',
        headers: AUTHORIZED,
        body,
      });
      assert.ok(banned.status >= 200 && banned.status < 300, banned.body.toString());
      await tracker.kill();

      tracker = await startReady(context, storeEnvironment);
      assert.match(await failureFor(tracker, BANNED), /ban/);
      const listed = await ask(tracker, `/admin/bans/${BANNED_HEX}`, { headers: AUTHORIZED });
      assert.match(listed.body.toString(), /a takedown request/);
      const ended = await ask(tracker, `/admin/bans/${BANNED_HEX}`, {
        method: 'DELETE',
        headers: AUTHORIZED,
      });
      assert.ok(ended.status >= 200 && ended.status < 300, ended.body.toString());
      await tracker.kill();

      tracker = await startReady(context, storeEnvironment);
      assert.equal(await failureFor(tracker, BANNED), 'served');
      await tracker.stop();
    });
  });
}

describe('an error that nobody has caught', () => {
  for (const kind of ['exception', 'rejection']) {
    it(`as ${kind} is logged, writes no snapshot and ends the process with code 1`, async (context) => {
      const folder = temporaryFolder(context);
      const trap = new URL(`planted-${kind}.mjs`, import.meta.url).href;
      const tracker = await startReady(context, { STORE_URL: `file:${folder}` }, [`--import=${trap}`]);
      await announceThree(tracker);
      tracker.signal('SIGUSR2');
      assert.deepEqual(await tracker.exited, { code: 1, signal: null });
      const line = tracker.log.find(({ level }) => level === 'error');
      assert.match(JSON.stringify(line), /planted by a test/);
      const written = readdirSync(folder, { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        written.filter((path) => path.includes('snapshots/')),
        [],
      );
    });
  }
});

async function startReady(
  context: Cleanup,
  environment: Environment,
  nodeOptions: readonly string[] = [],
): Promise<TrackerProcess> {
  const tracker = await startTracker(context, {
    environment: { ADMIN_TOKEN: TOKEN, SNAPSHOT_CRON: '0 0 29 2 *', ...environment },
    nodeOptions,
  });
  await waitUntil(
    'the tracker is ready',
    () => isReady(tracker),
    () => JSON.stringify(tracker.log),
  );
  return tracker;
}

/** A seeder, a leecher that completes, and a leecher. */
async function announceThree(tracker: TrackerProcess): Promise<void> {
  await announce(tracker, { port: 7001, left: 0 }, { from: '127.1.0.1' });
  await announce(tracker, { port: 7002, left: 5, peer_id: peerIdOf(2) }, { from: '127.1.0.2' });
  await announce(
    tracker,
    { port: 7002, left: 0, peer_id: peerIdOf(2), event: 'completed' },
    { from: '127.1.0.2' },
  );
  await announce(tracker, { port: 7003, left: 5, peer_id: peerIdOf(3) }, { from: '127.1.0.3' });
}

async function assertThreeAreKnown(tracker: TrackerProcess): Promise<void> {
  const answer = await announce(
    tracker,
    { port: 7004, left: 5, peer_id: peerIdOf(4) },
    { from: '127.1.0.4' },
  );
  const { complete, incomplete, downloaded } = answer;
  assert.deepEqual({ complete, incomplete, downloaded }, { complete: 2, incomplete: 2, downloaded: 1 });
  assert.deepEqual(compactPeers(answer.peers), ['127.1.0.1:7001', '127.1.0.2:7002', '127.1.0.3:7003']);
}

/** Compact IPv4 peers (BEP 23) as text, sorted. */
function compactPeers(bytes: Uint8Array): string[] {
  const peers: string[] = [];
  for (let at = 0; at < bytes.length; at += 6) {
    peers.push(`${bytes.subarray(at, at + 4).join('.')}:${bytes[at + 4]! * 256 + bytes[at + 5]!}`);
  }
  return peers.sort();
}

async function failureFor(tracker: TrackerProcess, infoHash: Uint8Array): Promise<string> {
  const { 'failure reason': reason } = await announce(tracker, { info_hash: escaped(infoHash) });
  return reason === undefined ? 'served' : Buffer.from(reason).toString();
}
