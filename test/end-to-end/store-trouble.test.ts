import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AccessObjectWriter } from '../../src/persistence/format/access-object.ts';
import { accessKey } from '../../src/persistence/format/object-keys.ts';
import { openStore as openStoreAt } from '../../src/persistence/store/open-store.ts';
import type { Store } from '../../src/persistence/store/store.ts';
import { noKeys } from '../builders/keys.ts';
import { escaped, hashOf, peerIdOf } from '../builders/requests.ts';
import { type S3Process, startS3Process } from '../builders/s3-process.ts';
import {
  type Fault,
  PASS,
  refuse,
  type S3Proxy,
  type SeenRequest,
  startS3Proxy,
} from '../builders/s3-proxy.ts';
import { s3Address } from '../builders/s3-server.ts';
import { nowSeconds } from '../builders/store.ts';
import {
  type Cleanup,
  startTracker,
  type TrackerProcess,
  temporaryFolder,
} from '../builders/tracker-process.ts';
import { announce, ask, isReady, statistics } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

const TOKEN = 'a-token-for-tests-of-24-or-more';
const AUTHORIZED = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
const BANNED = hashOf(0xba);
/** A listing comes in pages of so many; test/persistence/store.test.ts has more of them. */
const PAGE_KEYS = 1_000;

let s3: S3Process;
/** What a tracker leaves in a store: two peers, a completed download and a ban. */
const saved = new Map<string, Uint8Array>();
let stores = 0;

before(async () => {
  s3 = await startS3Process();
  const cleanups: (() => unknown)[] = [];
  const store = await openStore({ after: (cleanup) => void cleanups.push(cleanup as () => unknown) }, false);
  const tracker = await startReady({ after: () => {} }, store);
  await announce(tracker, { port: 7001, left: 5 });
  await announce(tracker, { port: 7001, left: 0, event: 'completed' });
  await announce(tracker, { port: 7002, left: 5, peer_id: peerIdOf(2) });
  const path = `/admin/bans/${'ba'.repeat(20)}`;
  assert.equal((await ask(tracker, path, { method: 'PUT', headers: AUTHORIZED })).status, 200);
  assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
  const objects = await clientOf(store);
  for (const { key } of await objects.list('')) saved.set(key, await objects.get(key));
  for (const cleanup of cleanups) await cleanup();
});
after(() => s3.end());

/** A store of its own with what was saved, behind a proxy that the test tells what to do. */
async function openStore(context: Cleanup, isFilled = true): Promise<S3Proxy> {
  const proxy = await startS3Proxy(s3.environment(`trouble-${stores++}/`));
  context.after(() => proxy.close());
  if (isFilled) {
    const objects = await clientOf(proxy);
    for (const [key, bytes] of saved) await objects.put(key, bytes);
    proxy.requests.length = 0;
  }
  return proxy;
}

function clientOf({ environment }: S3Proxy): Promise<Store> {
  const { hostname: bucket, pathname } = new URL(environment.STORE_URL!);
  const port = Number(new URL(environment.AWS_ENDPOINT_URL_S3!).port);
  return openStoreAt(s3Address(port, pathname.slice(1), bucket), { nowSeconds });
}

function start(context: Cleanup, store: S3Proxy): Promise<TrackerProcess> {
  const environment = {
    ...store.environment,
    ADMIN_TOKEN: TOKEN,
    SNAPSHOT_CRON: '* * * * * *',
    JOURNAL_SECONDS: '1',
  };
  return startTracker(context, { environment });
}

async function startReady(context: Cleanup, store: S3Proxy): Promise<TrackerProcess> {
  const tracker = await start(context, store);
  await ready(tracker);
  return tracker;
}

/** Has restored, and read the bans. */
async function ready(tracker: TrackerProcess): Promise<void> {
  await waitUntil(
    'the tracker is ready',
    async () => (await isReady(tracker)) && (await statistics(tracker)).access.isLoaded,
    () => JSON.stringify(tracker.log),
  );
}

/** What was saved is known again, and `more` leechers beside it. */
async function assertAllIsThere(tracker: TrackerProcess, more: number): Promise<void> {
  const { complete, incomplete, downloaded } = await announce(tracker, {
    port: 7001,
    left: 0,
    event: undefined,
  });
  assert.deepEqual(
    { complete, incomplete, downloaded },
    { complete: 1, incomplete: 1 + more, downloaded: 1 },
  );
  const { 'failure reason': reason } = await announce(tracker, { info_hash: escaped(BANNED) });
  assert.match(Buffer.from(reason ?? '').toString(), /ban/);
}

/** One leecher, which must be served whatever the store does; its number counts from 1. */
async function announceLeecher(tracker: TrackerProcess, number: number): Promise<void> {
  const { incomplete } = await announce(tracker, {
    port: 8_000 + number,
    left: 5,
    peer_id: peerIdOf(8_000 + number),
  });
  assert.ok(incomplete >= 1);
  assert.equal((await ask(tracker, '/healthz')).status, 200);
}

function count(tracker: TrackerProcess, messageStart: string): number {
  return tracker.log.filter(({ message }) => message.startsWith(messageStart)).length;
}

function bannedHash(name: string): Uint8Array {
  return createHash('sha1').update(name).digest();
}

const deletesOrSaves = ({ verb, key }: SeenRequest): boolean =>
  verb === 'delete' || (verb === 'put' && key.startsWith('snapshots/'));

describe('a store in trouble', { concurrency: 3 }, () => {
  const starts: readonly {
    readonly what: string;
    readonly states: readonly (readonly [string, Fault, RegExp])[];
  }[] = [
    {
      what: 'unreachable, then with credentials refused,',
      states: [
        ['unreachable', PASS, /cannot be reached/],
        ['denied', refuse(403, 'InvalidAccessKeyId'), /credentials/],
      ],
    },
    {
      what: 'without the bucket, then throttling,',
      states: [
        ['no-bucket', refuse(404, 'NoSuchBucket'), /bucket does not exist/],
        ['throttled', refuse(503, 'SlowDown'), /fewer requests/],
      ],
    },
  ];
  for (const { what, states } of starts) {
    it(`${what} at the start: the tracker serves, changes nothing in the store, and restores when it can`, async (context) => {
      const store = await openStore(context);
      let tracker: TrackerProcess | undefined;
      let announced = 0;
      for (const [failure, fault, reason] of states) {
        if (failure === 'unreachable') await store.goAway();
        else {
          // Only reads are refused: a tracker that would save or rotate now could.
          store.decide = ({ verb }) => (verb === 'list' || verb === 'get' ? fault : PASS);
          if (tracker !== undefined && states[0]![0] === 'unreachable') await store.comeBack();
        }
        tracker ??= await start(context, store);
        await tracker.logged('The store is lost', tracker.log.length * Math.min(announced, 1));
        await waitUntil('the reason shows', async () =>
          reason.test((await ask(tracker!, '/readyz')).body.toString()),
        );
        assert.equal((await ask(tracker, '/readyz')).status, 503);
        assert.notEqual((await statistics(tracker)).store.state, 'well');
        tracker.signal('SIGUSR1');
        await tracker.logged('No snapshot is saved');
        await announceLeecher(tracker, ++announced);
      }
      assert.deepEqual(store.requests.filter(deletesOrSaves), []);
      store.decide = () => PASS;
      await ready(tracker!);
      await assertAllIsThere(tracker!, announced);
      await waitUntil('it knows that the store is back', () => count(tracker!, 'The store is back') > 0);
      assert.equal(count(tracker!, 'The store is lost'), states.length);
      assert.equal(count(tracker!, 'The store is back'), 1);
      assert.equal(count(tracker!, 'The restore cannot go on'), states.length);
    });
  }

  it('that takes no puts, and then goes away: the tracker serves, tells of each reason once, and loses nothing when it can save again', async (context) => {
    const store = await openStore(context);
    const tracker = await startReady(context, store);
    const faults: readonly (readonly [Fault | 'away', summary: RegExp, details: RegExp])[] = [
      [refuse(507, 'XMinioStorageFull'), /no room left/, /XMinioStorageFull/],
      [{ kind: 'reset-request' }, /cannot be reached/, /broke off/],
      [refuse(403, 'AccessDenied'), /credentials/, /AccessDenied/],
      [{ kind: 'lose-answer' }, /cannot be reached/, /broke off/],
      [refuse(403, 'QuotaExceeded'), /no room left/, /QuotaExceeded/],
      ['away', /cannot be reached/, /cannot be reached/],
    ];
    let announced = 0;
    for (const [fault, reason, details] of faults) {
      if (fault === 'away') await store.goAway();
      else store.decide = ({ verb }) => (verb === 'put' ? fault : PASS);
      await announceLeecher(tracker, ++announced);
      await waitUntil('the failure shows', async () =>
        reason.test((await statistics(tracker)).store.failure ?? ''),
      );
      const shown = await statistics(tracker);
      assert.equal(shown.store.state, 'failing');
      assert.ok(!JSON.stringify(shown).includes('s3://'), 'where the store is, is nobody’s business');
      await waitUntil('the administrator sees more', async () => {
        const { body } = await ask(tracker, '/admin/status', { headers: AUTHORIZED });
        const { failure } = JSON.parse(body.toString()).store;
        return details.test(failure) && failure.includes('s3://');
      });
      assert.equal((await ask(tracker, '/readyz')).status, 200);
    }
    await waitUntil('the time at risk shows', async () => {
      const { journal, warnings } = await statistics(tracker);
      const warning = warnings.find((text: string) => /a crash now would lose it/.test(text));
      return journal.bytesAtRisk > 0 && journal.secondsAtRisk > 3 && warning !== undefined;
    });
    assert.equal(count(tracker, 'The store is lost'), faults.length);
    store.decide = () => PASS;
    await store.comeBack();
    await waitUntil('all is well again', async () => {
      const { store: seen, journal } = await statistics(tracker);
      return seen.state === 'well' && journal.bytesAtRisk === 0;
    });
    assert.equal(count(tracker, 'The store is back'), 1);
    await tracker.kill();
    await assertAllIsThere(await startReady(context, store), announced);
  });

  it('that is a directory which cannot be made: the tracker serves and says so, and stores all of it once it can', async (context) => {
    const folder = temporaryFolder(context);
    const path = join(folder, 'data');
    // What is not there yet is an empty store to a reader; a link to a disk that is not mounted looks like that, too.
    symlinkSync(join(folder, 'disk'), path);
    const environment = { STORE_URL: `file:${path}`, JOURNAL_SECONDS: '1', SNAPSHOT_CRON: '0 0 29 2 *' };
    const tracker = await startTracker(context, { environment });
    await ready(tracker);
    await announceLeecher(tracker, 1);
    await waitUntil(
      'the failure shows',
      async () => (await statistics(tracker)).store.state === 'failing',
      () => JSON.stringify(tracker.log),
    );
    const { store, warnings } = await statistics(tracker);
    assert.equal(store.failure, 'The store cannot be reached.');
    assert.ok(warnings.some((text: string) => text.includes(store.failure)));
    assert.equal(count(tracker, 'The store is lost'), 1);
    mkdirSync(join(folder, 'disk'));
    await waitUntil('all is well again', async () => {
      const seen = await statistics(tracker);
      return seen.store.state === 'well' && seen.journal.bytesAtRisk === 0;
    });
    await tracker.kill();
    const next = await startTracker(context, { environment });
    await ready(next);
    assert.equal((await announce(next, { port: 8_002, left: 5, peer_id: peerIdOf(8_002) })).incomplete, 2);
  });

  it('that breaks its answers off: what is read at the start is whole all the same', async (context) => {
    const store = await openStore(context);
    const broken = new Set<string>();
    store.decide = ({ verb, key }) => {
      if (verb !== 'get' || broken.has(key)) return PASS;
      broken.add(key);
      return { kind: 'reset-answer' };
    };
    const tracker = await startReady(context, store);
    assert.ok(broken.size >= 3, 'manifest, part and ban');
    await assertAllIsThere(tracker, 0);
  });

  it('that takes a second for each request: nothing is lost at a SIGTERM', async (context) => {
    const store = await openStore(context);
    store.decide = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return PASS;
    };
    const tracker = await start(context, store);
    await announceLeecher(tracker, 1);
    await ready(tracker);
    await announceLeecher(tracker, 2);
    assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
    store.decide = () => PASS;
    await assertAllIsThere(await startReady(context, store), 2);
  });

  it('that lists more than a page: bans on either side of what is not the tracker’s are in force', async (context) => {
    const store = await openStore(context, false);
    const objects = await clientOf(store);
    const [first, last] = [accessKey('a0000001', 1), accessKey('z0000001', 1)];
    for (const key of [first, last]) {
      const writer = new AccessObjectWriter(key, noKeys());
      writer.add('bans', {
        infoHash: bannedHash(key),
        isListed: true,
        atSeconds: 1_700_000_000,
        reason: '',
      });
      await objects.put(key, writer.finish());
    }
    for (let number = 0; number < PAGE_KEYS; number += 20) {
      const keys = Array.from({ length: 20 }, (_, index) => `access/note-${number + index}`);
      await Promise.all(keys.map((key) => objects.put(key, Uint8Array.of(1))));
    }
    store.requests.length = 0;
    const tracker = await startReady(context, store);
    const pages = store.requests.filter(({ verb, key }) => verb === 'list' && key === 'access/');
    assert.ok(pages.length >= 2, `${pages.length} pages`);
    for (const key of [first, last]) {
      const { 'failure reason': reason } = await announce(tracker, {
        info_hash: escaped(bannedHash(key)),
      });
      assert.match(Buffer.from(reason ?? '').toString(), /ban/);
    }
  });

  for (const seconds of [60, -60]) {
    it(`whose clock is ${seconds} s off: nothing has expired, and nothing is in the future`, async (context) => {
      const store = await openStore(context, false);
      store.clockShiftSeconds = seconds;
      const tracker = await startReady(context, store);
      for (let number = 1; number <= 3; number++) await announceLeecher(tracker, number);
      await tracker.stop();
      const next = await startReady(context, store);
      const stopped = await announce(next, {
        port: 8_001,
        left: 5,
        peer_id: peerIdOf(8_001),
        event: 'stopped',
      });
      assert.equal(stopped.incomplete, 2);
      await next.stop();
      const last = await startReady(context, store);
      assert.equal((await announce(last, { port: 8_002, left: 5, peer_id: peerIdOf(8_002) })).incomplete, 2);
    });
  }
});
