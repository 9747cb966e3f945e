/** The statistics of a tracker as it runs: what changes while somebody looks on, and what a restart leaves of them. */
import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { describe, it } from 'node:test';
import { openStore } from '../../src/persistence/store/open-store.ts';
import { formatInfoHash } from '../../src/protocol/info-hash.ts';
import { History, type HistoryDocument } from '../../src/stats/history.ts';
import { addMinutes, knownMinutes, MINUTE } from '../builders/history-points.ts';
import { HASH_1, peerIdOf } from '../builders/requests.ts';
import { makeSaver } from '../builders/snapshots.ts';
import { nowSeconds } from '../builders/store.ts';
import { swarmTable } from '../builders/swarm.ts';
import {
  type Cleanup,
  startTracker,
  type TrackerProcess,
  temporaryFolder,
} from '../builders/tracker-process.ts';
import { announce, ask, isReady, statistics } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

const EARLIER_MINUTES = 120;

/** A store with a snapshot in it: no peers, and the history of the two hours until ten minutes ago. */
async function storeWithHistory(context: Cleanup): Promise<{ folder: string; endSeconds: number }> {
  const folder = temporaryFolder(context);
  const store = await openStore({ kind: 'directory', path: folder }, { nowSeconds });
  const endSeconds = Math.floor(nowSeconds() / MINUTE) * MINUTE - 10 * MINUTE;
  const history = new History();
  addMinutes(history, endSeconds, EARLIER_MINUTES);
  const table = { changes: 1, totals: { completed: 0 }, walk: (now: number) => swarmTable().walk(now) };
  const saver = makeSaver(store, swarmTable(), { table, history, nowSeconds });
  assert.equal((await saver.save('signal')).kind, 'saved');
  return { folder, endSeconds };
}

async function start(context: Cleanup, folder: string): Promise<TrackerProcess> {
  const environment = { STORE_URL: `file:${folder}`, STATS_SHOW_HASHES: 'on', JOURNAL_SECONDS: '1' };
  const tracker = await startTracker(context, { environment });
  await waitUntil('it is ready', () => isReady(tracker));
  return tracker;
}

async function day(tracker: TrackerProcess): Promise<number[]> {
  const { body } = await ask(tracker, '/stats/history.json?span=day');
  return knownMinutes(JSON.parse(body.toString()) as HistoryDocument);
}

interface Listener {
  readonly response: IncomingMessage;
  until(pattern: RegExp): Promise<void>;
  readonly closed: Promise<void>;
}

function listen({ port }: TrackerProcess): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/stats/events', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', () => {});
      const closed = new Promise<void>((done) => response.once('close', done));
      const until = (pattern: RegExp): Promise<void> =>
        waitUntil(
          `it was told of ${pattern}`,
          () => pattern.test(text),
          () => text.slice(-2_000),
        );
      resolve({ response, until, closed });
    });
    sent.once('error', reject);
    sent.end();
  });
}

describe('the statistics of a running tracker', () => {
  it('tell what changes and each minute’s point, and come back after a stop and after a kill', async (context) => {
    const { folder, endSeconds } = await storeWithHistory(context);
    let tracker = await start(context, folder);
    const before = await day(tracker);
    assert.deepEqual([before.length, before.at(-1)], [EARLIER_MINUTES, endSeconds]);
    assert.equal((await statistics(tracker)).process.restarts, 1);

    const listener = await listen(tracker);
    await listener.until(/event: stats\ndata: \{[^\n]*"peers":0/);
    await announce(tracker, { peer_id: '-qB4500-abcdefghijkl', port: 7_001 });
    await announce(tracker, { peer_id: peerIdOf(2), port: 7_002, left: 1 });
    await listener.until(/event: stats\ndata: \{[^\n]*"peers":2/);
    await listener.until(/event: point\ndata: \{"endSeconds":\d+,"values":\{"peers":2,/);
    const after = await day(tracker);
    assert.ok(after.length > EARLIER_MINUTES);
    await waitUntil('the busiest swarm was found', async () => {
      const { busiestSwarms } = await statistics(tracker);
      return busiestSwarms.length > 0;
    });
    const report = await statistics(tracker);
    assert.deepEqual(report.busiestSwarms, [
      { peers: 2, seeders: 1, leechers: 1, infoHash: formatInfoHash(HASH_1) },
    ]);
    assert.equal(report.clients[0].family, 'qBittorrent');

    assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
    await listener.closed;
    assert.equal(listener.response.complete, true, 'the listener was cut off');

    tracker = await start(context, folder);
    const again = await day(tracker);
    assert.deepEqual(again.slice(0, after.length), after);
    assert.equal((await statistics(tracker)).process.restarts, 2);
    await announce(tracker, { port: 7_003 });
    await waitUntil('the journal is stored', async () => {
      const { journal } = await statistics(tracker);
      return journal.segmentsWritten > 0 && journal.bytesAtRisk === 0;
    });
    await tracker.kill();

    tracker = await start(context, folder);
    assert.deepEqual((await day(tracker)).slice(0, after.length), after);
    assert.equal((await statistics(tracker)).process.restarts, 3);
    await tracker.stop();
  });
});
