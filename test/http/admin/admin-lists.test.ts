import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatInfoHash } from '../../../src/protocol/info-hash.ts';
import { startAdminServer } from '../../builders/admin-server.ts';
import { infoHash } from '../../builders/swarm.ts';

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' };
const hex = (n: number): string => formatInfoHash(infoHash(n));
const link = (n: number): string =>
  `magnet:?dn=a%20name&xt=urn:btih:${hex(n).toUpperCase()}&tr=udp%3A%2F%2Fx`;

describe('the lists of the admin API', () => {
  for (const list of ['bans', 'allowed'] as const) {
    it(`take hashes and magnet links as lines of text, with the reason in the query (${list})`, async (context) => {
      const { ask, access, log } = await startAdminServer(context);
      await ask('PUT', `/admin/${list}/${hex(2)}`);
      const body = `${hex(1)}\n${link(2)}\nnonsense\n\n# a remark\n${hex(1)}\n${link(3)}\n`;
      const answer = await ask('POST', `/admin/${list}?reason=asked%20for&results=yes`, {
        body,
        headers: TEXT,
      });
      assert.equal(answer.status, 200);
      const { changedAt, ...rest } = answer.body;
      assert.ok(Date.parse(changedAt) > 0);
      assert.deepEqual(rest, {
        enforced: true,
        stored: true,
        hashes: 3,
        added: 2,
        alreadyListed: 1,
        repeated: 1,
        invalid: [3],
        invalidCount: 1,
        results: [
          { infoHash: hex(1), state: 'added' },
          { infoHash: hex(2), state: 'already-listed' },
          { infoHash: hex(3), state: 'added' },
        ],
        reason: 'asked for',
      });
      assert.equal(access[list].size, 3);
      assert.equal((await ask('GET', `/admin/${list}/${hex(2)}`)).body.reason, 'asked for');
      assert.ok(!JSON.stringify([answer.body, log.lines]).includes('nonsense'));
    });
  }

  it('say which lines are no hash when none is, and change nothing', async (context) => {
    const { ask, store } = await startAdminServer(context);
    const answer = await ask('POST', '/admin/bans', { body: 'one\n\ntwo', headers: TEXT });
    assert.equal(answer.status, 400);
    assert.deepEqual([answer.body.invalid, answer.body.invalidCount], [[1, 3], 2]);
    assert.match(answer.body.error, /40 hexadecimal.*base32.*magnet/);
    assert.equal((await ask('POST', '/admin/bans', { body: '', headers: TEXT })).status, 400);
    assert.deepEqual(store.keys(), []);
  });

  it('take magnet links and base32 in JSON and in paths too', async (context) => {
    const { ask, access } = await startAdminServer(context);
    const hashes = [link(1), `magnet:?dn=[a]&xt=urn:btih:${hex(2)}`, 'AQFWWVR7LRZBJJVXTCWUHQ6JFZACIAFZ'];
    assert.equal((await ask('POST', '/admin/bans', { body: { hashes } })).body.added, 3);
    const many = Array.from({ length: 2_000 }, (_, n) => `magnet:?dn=[a]&xt=urn:btih:${hex(n + 10)}`);
    assert.equal((await ask('POST', '/admin/bans', { body: { hashes: many } })).body.added, 2_000);
    const path = `/admin/bans/${encodeURIComponent(link(5_000))}`;
    assert.equal((await ask('PUT', path)).status, 200);
    assert.equal((await ask('GET', path)).body.infoHash, hex(5_000));
    assert.equal((await ask('GET', '/admin/bans/aqfwwvr7lrzbjjvxtcwuhq6jfzaciafz')).status, 200);
    assert.ok(access.bans.has(infoHash(5_000)));
  });

  it('take JSON for what it is, even when the sender calls it text', async (context) => {
    const { ask } = await startAdminServer(context);
    const body = ` {"hashes":["${hex(1)}"],"reason":"x"}`;
    const answer = await ask('POST', '/admin/bans', { body, headers: TEXT });
    assert.deepEqual([answer.status, answer.body.reason], [200, 'x']);
  });

  it('give a page of what a search finds, by hash, by a link and by words of the reason', async (context) => {
    const { ask } = await startAdminServer(context);
    await ask('POST', '/admin/bans', {
      body: { hashes: [hex(1), hex(2), hex(3)], reason: 'Case 17 of Films' },
    });
    await ask('POST', '/admin/bans', { body: { hashes: [hex(4)], reason: 'spam' } });
    const found = async (query: string) => {
      const { status, body } = await ask('GET', `/admin/bans?${query}`);
      assert.equal(status, 200);
      return [body.bans.map((ban: { infoHash: string }) => ban.infoHash), body.byEnvironment, body.next];
    };
    assert.deepEqual(await found('search=films+17'), [[hex(1), hex(2), hex(3)], [], null]);
    assert.deepEqual(await found(`search=${encodeURIComponent(link(4))}`), [[hex(4)], [], null]);
    assert.deepEqual(await found('search=00000'), [[hex(1), hex(2), hex(3), hex(4)], [hex(900)], null]);
    const [first, , next] = await found('search=films&limit=2');
    assert.equal(first.length, 2);
    assert.deepEqual((await found(`search=films&limit=2&cursor=${next}`))[0], [hex(3)]);
    assert.deepEqual((await found('search='))[0].length, 4);
  });

  it('say what is wrong with a query', async (context) => {
    const { ask } = await startAdminServer(context);
    const cases: readonly [string, string, RegExp][] = [
      ['GET', '/admin/bans?serach=x', /takes only limit, cursor, search/],
      ['GET', `/admin/bans?search=${'x'.repeat(201)}`, /200 characters/],
      ['GET', '/admin/status?x=1', /takes no parameters/],
      ['POST', '/admin/bans?results=maybe', /yes or no/],
      ['POST', '/admin/bans?reason=x', /Content-Type: text\/plain/],
      ['POST', `/admin/bans?reason=${'x'.repeat(201)}`, /200 bytes/],
    ];
    for (const [method, path, sentence] of cases) {
      const isText = path.includes('xxx') && method === 'POST';
      const body = method === 'GET' ? undefined : isText ? hex(1) : { hashes: [hex(1)] };
      const answer = await ask(method, path, { body, headers: isText ? TEXT : {} });
      assert.equal(answer.status, 400, path);
      assert.match(answer.body.error, sentence);
      assert.ok(!answer.body.error.includes('serach'), 'what was sent is not sent back');
    }
    const many = Array.from({ length: 1_001 }, (_, n) => hex(n)).join('\n');
    const tooMany = await ask('POST', '/admin/bans?results=yes', { body: many, headers: TEXT });
    assert.deepEqual([tooMany.status, /1000/.test(tooMany.body.error)], [413, true]);
  });

  it('say what they did when the store does not take it', async (context) => {
    const { ask, store } = await startAdminServer(context);
    store.failure = 'unreachable';
    const { status, body } = await ask('POST', '/admin/bans?results=yes', { body: link(1), headers: TEXT });
    assert.equal(status, 503);
    assert.deepEqual([body.enforced, body.stored, body.added, body.results.length], [true, false, 1, 1]);
  });

  it('leave a line with who, what, how many and why', async (context) => {
    const { ask, log } = await startAdminServer(context);
    await ask('POST', '/admin/bans?reason=a%20letter', { body: `${hex(1)}\n${hex(2)}`, headers: TEXT });
    await ask('DELETE', `/admin/bans/${hex(1)}`, { body: { reason: 'a mistake' } });
    const lines = log.lines.filter(({ message }) => message.startsWith('An administrator changed'));
    assert.deepEqual(
      lines.map(({ fields: { who, action, list, hashes, infoHash: hash, reason, outcome } }) => [
        who,
        action,
        list,
        hashes,
        hash,
        reason,
        outcome,
      ]),
      [
        ['token', 'add', 'bans', 2, undefined, 'a letter', 'stored'],
        ['token', 'remove', 'bans', 1, hex(1), 'a mistake', 'stored'],
      ],
    );
  });
});
