/** `trakx snapshots` beside a tracker that runs, and on what it has left. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStore } from '../../src/persistence/store/open-store.ts';
import { trakx } from '../builders/command.ts';
import { nowSeconds } from '../builders/store.ts';
import { startTracker, type TrackerProcess, temporaryFolder } from '../builders/tracker-process.ts';
import { announce, ask, isReady } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

interface Operations {
  readonly puts: number;
  readonly lists: number;
  readonly failures: number;
  readonly bytesPut: number;
}

async function stats(tracker: TrackerProcess): Promise<{
  readonly peers: number;
  readonly completed: number;
  readonly journal: { readonly segmentsWritten: number; readonly bytesAtRisk: number };
  readonly store: { readonly operations: Operations };
}> {
  return JSON.parse((await ask(tracker, '/stats.json')).body.toString());
}

/** So many peers more, each with an address of its own; the journal has stored them when this resolves. */
async function hear(tracker: TrackerProcess, from: number, to: number): Promise<void> {
  for (let peer = from; peer < to; peer++) {
    const event = peer % 3 === 0 ? { event: 'completed', left: 0 } : { left: 5 };
    await announce(tracker, { port: 7000 + peer, ...event }, { from: `127.1.0.${peer + 1}` });
  }
  await waitUntil('the journal is stored', async () => (await stats(tracker)).journal.bytesAtRisk === 0);
}

describe('trakx snapshots, beside a tracker', () => {
  it('sees what is stored, goes back to it, and cleans up, while the tracker loses nothing', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}`;
    const run = (...words: string[]) => trakx(['snapshots', ...words], { STORE_URL });
    const environment = { STORE_URL, JOURNAL_SECONDS: '1', SNAPSHOT_CRON: '0 0 1 1 *' };
    const tracker = await startTracker(context, { environment });
    await waitUntil('the tracker is ready', () => isReady(tracker));
    await hear(tracker, 0, 6);
    await tracker.save();
    await hear(tracker, 6, 10);

    const shown = await run('show', '1');
    assert.match(shown.stdout, /^state +whole$/m);
    assert.match(shown.stdout, /^holds +the journal of [0-9a-f]+ up to segment \d+$/m);
    assert.match(shown.stdout, /^past it +[1-9]\d* segments? of [0-9a-f]+, \d+ to \d+, \d+ B$/m);
    const verified = await run('verify', '--all');
    assert.equal(verified.status, 0, verified.stdout);
    assert.match(verified.stdout, /^[1-9]\d* journal segments?: whole/m);

    const path = temporaryFolder(context);
    const restored = await run('restore', '--to', `file:${path}`, '--json');
    assert.equal(restored.status, 0, restored.stderr);
    const { peers, segments } = JSON.parse(restored.stdout);
    assert.equal(peers, 10);
    assert.ok(segments > 0);
    const other = await startTracker(context, { environment: { STORE_URL: `file:${path}` } });
    await waitUntil('the other is ready', () => isReady(other));
    const expected = await stats(tracker);
    const found = await stats(other);
    assert.deepEqual([found.peers, found.completed], [expected.peers, expected.completed]);
    assert.equal((await other.stop()).code, 0);

    await tracker.save();
    await hear(tracker, 10, 12);
    const pruned = await run('prune', '--keep', '1', '--yes', '--json');
    assert.equal(pruned.status, 0, pruned.stderr);
    const reasons = JSON.parse(pruned.stdout).pruned.map(({ reason }: { reason: string }) => reason);
    // The journal stays for two minutes whoever has it, for other trackers.
    assert.deepEqual(reasons, ['old']);
    await tracker.kill();
    assert.equal((await run('verify', '--all')).status, 0);
    const again = await startTracker(context, { environment });
    await waitUntil('it is ready again', () => isReady(again));
    assert.equal((await stats(again)).peers, 12);
  });
});

describe('what a tracker asks of its store', () => {
  it('is counted in /stats.json, and is no put at all when nothing is heard', async (context) => {
    const path = temporaryFolder(context);
    const environment = { STORE_URL: `file:${path}`, JOURNAL_SECONDS: '1', SNAPSHOT_CRON: '* * * * * *' };
    const tracker = await startTracker(context, { environment });
    await waitUntil('the tracker is ready', () => isReady(tracker));
    assert.equal((await stats(tracker)).store.operations.puts, 0, 'nothing was heard yet');
    await hear(tracker, 0, 3);
    const operations = async (): Promise<Operations> => (await stats(tracker)).store.operations;
    await waitUntil('the schedule has saved', async () => (await operations()).puts >= 3);
    const store = await openStore({ kind: 'directory', path }, { nowSeconds });
    const { length } = await store.list('');
    assert.ok((await operations()).puts >= length, 'each object was put');
    // A journal's interval and several ticks of the schedule go by without anything heard.
    let { puts } = await operations();
    const settled = async (): Promise<boolean> => {
      const before = puts;
      ({ puts } = await operations());
      return puts === before;
    };
    await waitUntil('what was heard is stored', settled);
    const before = await operations();
    const second = Math.floor(Date.now() / 1_000);
    await waitUntil('three seconds are over', () => Date.now() / 1_000 > second + 3);
    const after = await operations();
    assert.deepEqual([after.puts, after.bytesPut, after.failures], [before.puts, before.bytesPut, 0]);
  });
});
