import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SaveOutcome } from '../../../src/persistence/snapshot/saver.ts';
import { StoreError } from '../../../src/persistence/store/store.ts';
import { formatInfoHash } from '../../../src/protocol/info-hash.ts';
import { IPV4, LEECHER, SEEDER } from '../../../src/swarm/record.ts';
import type { SwarmTable } from '../../../src/swarm/swarm-table.ts';
import { startAdminServer } from '../../builders/admin-server.ts';
import { endpoint, infoHash, NOW, peerId } from '../../builders/swarm.ts';

const HASH = formatInfoHash(infoHash(1));
const PATH = `/admin/swarms/${HASH}`;

function fill(table: SwarmTable, seeders: number, leechers: number): void {
  for (let n = 0; n < seeders + leechers; n++) {
    const slot = table.open(infoHash(1), NOW);
    const role = n < seeders ? SEEDER : LEECHER;
    table.sight(slot, IPV4, endpoint(IPV4, n), peerId(n), role, n < seeders, NOW);
  }
}

describe('one swarm of the admin API', () => {
  it('is shown by its counts, and whether it is served and why not', async (context) => {
    const { ask, table } = await startAdminServer(context);
    const unknown = await ask('GET', PATH);
    assert.deepEqual([unknown.status, unknown.body.isKnown, unknown.body.seeders], [200, false, 0]);
    fill(table, 2, 3);
    assert.deepEqual((await ask('GET', PATH)).body, {
      infoHash: HASH,
      isKnown: true,
      seeders: 2,
      leechers: 3,
      partialSeeds: 0,
      completed: 2,
      isServed: true,
      refusal: null,
      clientsAreTold: null,
      ban: null,
      isBannedByEnvironment: false,
    });
    await ask('PUT', `/admin/bans/${HASH}`, { body: { reason: 'asked for' } });
    const { body } = await ask('GET', PATH);
    assert.deepEqual(
      [body.isKnown, body.isServed, body.refusal, body.ban.reason],
      [false, false, 'banned', 'asked for'],
    );
    assert.match(body.clientsAreTold, /banned/);
    const byEnvironment = (await ask('GET', `/admin/swarms/${formatInfoHash(infoHash(900))}`)).body;
    assert.deepEqual(
      [byEnvironment.refusal, byEnvironment.ban, byEnvironment.isBannedByEnvironment],
      ['banned', null, true],
    );
  });

  it('is dropped with its peers and its count, and leaves a line in the log', async (context) => {
    const { ask, table, log } = await startAdminServer(context);
    fill(table, 200, 300);
    const { status, body } = await ask('DELETE', PATH);
    assert.deepEqual([status, body], [200, { infoHash: HASH, peers: 500, completed: 200 }]);
    assert.equal(table.find(infoHash(1)), -1);
    assert.equal((await ask('DELETE', PATH)).status, 404);
    const line = log.lines.find(({ message }) => message === 'An administrator dropped a swarm.');
    assert.deepEqual(line?.fields, {
      who: 'token',
      action: 'drop-swarm',
      infoHash: HASH,
      peers: 500,
      completed: 200,
    });
  });

  it('is not dropped while what is saved is still being read, for it could come back', async (context) => {
    const { ask, table } = await startAdminServer(context, { isRestored: () => false });
    fill(table, 1, 0);
    const { status, headers } = await ask('DELETE', PATH);
    assert.deepEqual([status, headers.get('retry-after')], [503, '5']);
    assert.equal(table.peers, 1);
  });
});

describe('a snapshot that an administrator asks for', () => {
  const saved: SaveOutcome = { kind: 'saved', number: 7, bytes: 99, swarms: 2, peers: 5 };

  for (const [outcome, status, body] of [
    [saved, 200, { outcome: 'saved', joinedOneUnderWay: false, number: 7, bytes: 99, swarms: 2, peers: 5 }],
    [{ kind: 'unchanged' }, 200, { outcome: 'unchanged', joinedOneUnderWay: false }],
    [{ kind: 'not-settled' }, 503, /restore/],
    [{ kind: 'failed', error: new StoreError('denied', 'No.') }, 503, /The snapshot failed: No\./],
  ] as const) {
    it(`is answered with what came of it (${outcome.kind})`, async (context) => {
      const { ask, log } = await startAdminServer(context, { save: async () => outcome });
      const answer = await ask('POST', '/admin/snapshot');
      assert.equal(answer.status, status);
      if (body instanceof RegExp) assert.match(answer.body.error, body);
      else assert.deepEqual(answer.body, body);
      assert.equal(log.lines.find(({ message }) => /snapshot/.test(message))?.fields.outcome, outcome.kind);
    });
  }

  it('is answered before a router gives up, and goes on', async (context) => {
    const { ask } = await startAdminServer(context, {
      save: () => new Promise(() => {}),
      snapshotAnswerMsMax: 1,
    });
    const { status, body } = await ask('POST', '/admin/snapshot');
    assert.deepEqual([status, body], [202, { outcome: 'still-saving', joinedOneUnderWay: false }]);
  });
});

describe('the status of the admin API', () => {
  it('tells how the tracker is, and counts takedowns', async (context) => {
    const { ask } = await startAdminServer(context);
    await ask('PUT', `/admin/bans/${HASH}`);
    const { status, body } = await ask('GET', '/admin/status');
    assert.equal(status, 200);
    assert.deepEqual(body.takedowns, { banned: 2, lastDay: 1, lastMonth: 1 });
    assert.deepEqual(
      [body.table.peers, body.restore.isSettled, body.store.address],
      [42, true, 'file:./data'],
    );
  });
});
