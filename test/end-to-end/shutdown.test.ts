import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { announceQuery, peerIdOf, rawRequest } from '../builders/requests.ts';
import { type Cleanup, startTracker, type TrackerProcess } from '../builders/tracker-process.ts';
import { type GatedStore, startGatedStore } from './gated-store.ts';
import { openConnection } from './kept-connection.ts';
import { announce, ask, isReady } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

/** Heroku kills what has not ended this long after its SIGTERM. */
const KILLED_AFTER_MS = 30_000;
const TOKEN = 'a-token-for-tests-of-24-or-more';
const CLOSES = /^connection: close\r$/im;

describe('a tracker that is told to stop', { concurrency: true }, () => {
  it('answers what kept connections still send and what is in flight with Connection: close, saves, exits 0', async (context) => {
    const store = await startGatedStore(context);
    const tracker = await startReady(context, store);
    const kept = await openConnection(tracker.port);
    const halfSent = await openConnection(tracker.port);
    const administrator = await openConnection(tracker.port);
    const request = rawRequest(`/announce?${announceQuery()}`).toString('latin1');
    kept.write(request);
    assert.doesNotMatch((await kept.answer()).head, CLOSES);

    // In flight: a ban that waits for the store, and a request of which half has come.
    store.set('shut');
    const hash = 'ba'.repeat(20);
    administrator.write(
      rawRequest(
        `/admin/bans/${hash}`,
        [`Authorization: Bearer ${TOKEN}`, 'Content-Type: application/json', 'Content-Length: 15'],
        { method: 'PUT', body: '{"reason":"xy"}' },
      ).toString('latin1'),
    );
    await waitUntil('the store is asked to keep the ban', () => store.isAsked());
    halfSent.write(request.slice(0, 100));
    tracker.signal('SIGTERM');

    let answer: Awaited<ReturnType<typeof kept.answer>>;
    do {
      kept.write(request.replace('6881', '6883')); // the first may come before the signal
      answer = await kept.answer();
    } while (!CLOSES.test(answer.head));
    assertAnsweredForTheLastTime(answer);
    await kept.closed;
    halfSent.write(request.slice(100).replace('6881', '6882'));
    assertAnsweredForTheLastTime(await halfSent.answer());
    await halfSent.closed;
    await waitUntil('nobody listens any more', () =>
      ask(tracker, '/healthz').then(
        () => false,
        (error) => error.code === 'ECONNREFUSED',
      ),
    );
    store.set('open');
    const banned = await administrator.answer();
    assert.match(banned.head, /^HTTP\/1\.1 2\d\d /);
    assert.match(banned.head, CLOSES);
    assert.deepEqual(await tracker.exited, { code: 0, signal: null });

    const next = await startReady(context, store);
    const { complete } = await announce(next, { port: 6884, peer_id: peerIdOf(4) });
    assert.equal(complete, 4, 'the three announces of the last moments and one more');
    const listed = await ask(next, `/admin/bans/${hash}`, {
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    assert.equal(listed.status, 200);
    await next.stop();
  });

  it('does not mind further SIGTERMs: they change nothing', async (context) => {
    const store = await startGatedStore(context);
    const tracker = await startReady(context, store);
    await announce(tracker);
    store.set('shut');
    tracker.signal('SIGTERM');
    await waitUntil('the store is asked to keep the snapshot', () => store.isAsked());
    for (let count = 0; count < 3; count++) tracker.signal('SIGTERM');
    // They are delivered before the store's answer, which takes turns of the tracker's event loop.
    store.set('open');
    assert.deepEqual(await tracker.exited, { code: 0, signal: null });
    assert.equal(tracker.log.filter(({ message }) => message.startsWith('stopping')).length, 1);
    assert.equal(tracker.log.filter(({ message }) => message.startsWith('snapshot saved')).length, 1);
    const next = await startReady(context, store);
    assert.equal((await announce(next)).complete, 1);
    await next.stop();
  });

  it('saves and exits 0 at a first SIGINT too', async (context) => {
    const store = await startGatedStore(context);
    const tracker = await startReady(context, store);
    await announce(tracker);
    tracker.signal('SIGINT');
    assert.deepEqual(await tracker.exited, { code: 0, signal: null });
    assert.equal((await announce(await startReady(context, store), { port: 6882 })).complete, 2);
  });

  it('saves though nobody reads its log any more', async (context) => {
    const store = await startGatedStore(context);
    const tracker = await startReady(context, store);
    await announce(tracker);
    tracker.closeLog();
    tracker.signal('SIGTERM');
    assert.deepEqual(await tracker.exited, { code: 0, signal: null });
    assert.equal((await announce(await startReady(context, store), { port: 6882 })).complete, 2);
  });

  it('exits 0 when it is told so before it listens, while the store has not answered', async (context) => {
    const store = await startGatedStore(context);
    store.set('shut');
    const tracker = await startTracker(context, { environment: store.environment, isStarting: true });
    tracker.signal('SIGTERM');
    assert.deepEqual(await tracker.exited, { code: 0, signal: null });
    assert.equal(
      tracker.log.some(({ message }) => message.startsWith('listening')),
      false,
    );
  });

  it('exits at once at a second SIGINT, though the store has not answered', async (context) => {
    const store = await startGatedStore(context);
    const tracker = await startReady(context, store);
    await announce(tracker);
    store.set('shut');
    tracker.signal('SIGINT');
    await waitUntil('the store is asked to keep the snapshot', () => store.isAsked());
    tracker.signal('SIGINT');
    const { code, signal } = await tracker.exited;
    assert.notEqual(code ?? signal, 0, 'nothing was saved, and the code says so');
    assert.equal(tracker.log.filter(({ message }) => message.startsWith('snapshot saved')).length, 0);
  });

  for (const gate of ['shut', 'dripping'] as const) {
    const how = { shut: 'takes every byte and never answers', dripping: 'answers a byte a second' }[gate];

    it(`exits 0 before it would be killed when the store ${how} from then on`, async (context) => {
      const store = await startGatedStore(context);
      const tracker = await startReady(context, store);
      await announce(tracker);
      store.set(gate);
      await assertExitsInTime(tracker);
      assert.ok(store.isAsked(), 'it has tried to save');
    });

    it(`exits 0 before it would be killed when the store ${how} from the start, and serves until then`, async (context) => {
      const store = await startGatedStore(context);
      store.set(gate);
      const tracker = await startTracker(context, { environment: store.environment });
      assert.equal((await announce(tracker)).complete, 1);
      assert.equal((await ask(tracker, '/healthz')).status, 200);
      assert.equal((await ask(tracker, '/readyz')).status, 503);
      await assertExitsInTime(tracker);
    });
  }
});

function assertAnsweredForTheLastTime({ head, body }: { head: string; body: string }): void {
  assert.match(head, /^HTTP\/1\.1 200 /);
  assert.match(head, CLOSES);
  assert.match(body, /8:complete/);
}

async function assertExitsInTime(tracker: TrackerProcess): Promise<void> {
  const before = performance.now();
  tracker.signal('SIGTERM');
  assert.deepEqual(await tracker.exited, { code: 0, signal: null });
  const elapsedMs = performance.now() - before;
  assert.ok(elapsedMs < KILLED_AFTER_MS, `took ${elapsedMs} ms`); // here the time is what is promised
}

async function startReady(context: Cleanup, store: GatedStore): Promise<TrackerProcess> {
  const environment = { ...store.environment, ADMIN_TOKEN: TOKEN, SNAPSHOT_CRON: '0 0 29 2 *' };
  const tracker = await startTracker(context, { environment });
  await waitUntil(
    'the tracker is ready',
    () => isReady(tracker),
    () => JSON.stringify(tracker.log),
  );
  return tracker;
}
