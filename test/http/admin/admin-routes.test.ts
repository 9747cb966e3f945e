import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { formatInfoHash } from '../../../src/protocol/info-hash.ts';
import { type AdminAnswer, type AdminServer, startAdminServer, TOKEN } from '../../builders/admin-server.ts';
import { infoHash, NOW } from '../../builders/swarm.ts';

const HASH = formatInfoHash(infoHash(1));
const BY_ENVIRONMENT = formatInfoHash(infoHash(900));

interface Served extends Omit<AdminServer, 'ask'> {
  ask(method: string, path: string, body?: unknown, authorization?: string): Promise<AdminAnswer>;
}

async function serve(
  context: TestContext,
  changes: { adminToken?: string | undefined } = {},
): Promise<Served> {
  const server = await startAdminServer(context, { wrongTokensMax: 1_000, ...changes });
  return {
    ...server,
    ask: (method, path, body, authorization = `Bearer ${TOKEN}`) =>
      server.ask(method, path, { body, authorization }),
  };
}

describe('the admin routes', () => {
  it('are not there without a token', async (context) => {
    const { ask } = await serve(context, { adminToken: undefined });
    for (const path of ['/admin/bans', `/admin/bans/${HASH}`])
      assert.equal((await ask('GET', path)).status, 404);
  });

  it('let nobody in without the right token, and do not wait for the body before they say so', async (context) => {
    const { ask, port, store } = await serve(context);
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
      TOKEN,
    ]) {
      for (const [method, path] of [
        ['GET', '/admin/bans'],
        ['PUT', `/admin/bans/${HASH}`],
        ['GET', '/admin/nowhere'],
      ] as const) {
        const { status, headers, body } = await ask(method, path, undefined, authorization);
        assert.equal(status, 401);
        assert.match(headers.get('www-authenticate') ?? '', /^Bearer/);
        assert.match(body.error, /ADMIN_TOKEN/);
      }
    }
    assert.deepEqual(store.keys(), []);
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /admin/bans HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1\.1 401 /);
    assert.match(head.toString(), /\r\nConnection: close\r\n/i);
    socket.destroy();
  });

  for (const list of ['bans', 'allowed'] as const) {
    it(`put a hash on the list, show it and take it off (${list})`, async (context) => {
      const { ask, access } = await serve(context);
      const path = `/admin/${list}/${HASH}`;
      assert.equal((await ask('GET', path)).status, 404);
      assert.equal((await ask('DELETE', path)).status, 404);
      const put = await ask('PUT', path, { reason: 'asked for' });
      assert.equal(put.status, 200);
      assert.equal(put.headers.get('cache-control'), 'no-store');
      assert.equal(put.headers.get('x-content-type-options'), 'nosniff');
      assert.deepEqual([put.body.enforced, put.body.stored, put.body.hashes], [true, true, 1]);
      assert.ok(access[list].has(infoHash(1)));
      const shown = await ask('GET', `/admin/${list}/${HASH.toUpperCase()}`);
      assert.deepEqual(shown.body, {
        infoHash: HASH,
        reason: 'asked for',
        changedAt: new Date(NOW * 1000).toISOString(),
        isByEnvironment: false,
        isServed: list === 'allowed',
      });
      assert.equal((await ask('DELETE', path)).status, 200);
      assert.equal((await ask('GET', path)).status, 404);
      assert.ok(!access[list].has(infoHash(1)));
    });
  }

  it('put many on the list at once, and give them out in pages', async (context) => {
    const { ask } = await serve(context);
    const hashes = Array.from({ length: 25 }, (_, index) => formatInfoHash(infoHash(index)));
    const added = await ask('POST', '/admin/bans', { hashes, reason: 'a list' });
    assert.deepEqual([added.status, added.body.hashes], [200, 25]);
    const seen: string[] = [];
    let next: string | null = '0';
    for (let pages = 0; next !== null; pages++) {
      assert.ok(pages < 5);
      const page = await ask('GET', `/admin/bans?limit=10&cursor=${next}`);
      assert.equal(page.body.count, 25);
      assert.deepEqual(page.body.byEnvironment, next === '0' ? [BY_ENVIRONMENT] : undefined);
      for (const each of page.body.bans) seen.push(each.infoHash);
      next = page.body.next;
    }
    assert.deepEqual(seen.sort(), hashes.sort());
  });

  it('take 300,000 bans in one request', async (context) => {
    const { ask, access, store } = await serve(context);
    const hashes = Array.from({ length: 300_000 }, (_, index) => formatInfoHash(infoHash(index)));
    const body = JSON.stringify({ hashes, reason: 'a long list' }, null, 2);
    assert.equal((await ask('POST', '/admin/bans', body)).status, 200);
    assert.equal(access.bans.size, 300_000);
    assert.equal(store.keys().length, 1);
  });

  it('refuse more than 400,000 hashes in one change, and bodies past any sense', async (context) => {
    const { ask, access } = await serve(context);
    const hashes = new Array(400_001).fill(HASH);
    const tooMany = await ask('POST', '/admin/bans', { hashes });
    assert.equal(tooMany.status, 413);
    assert.match(tooMany.body.error, /400000/);
    const tooLarge = await ask('POST', '/admin/bans', ' '.repeat(30_000_000)).catch(
      (error: unknown) => error,
    );
    if (!(tooLarge instanceof Error)) assert.equal((tooLarge as AdminAnswer).status, 413);
    assert.equal(access.bans.size, 0);
  });

  it('say what is wrong and what is allowed', async (context) => {
    const { ask, store } = await serve(context);
    const cases: readonly [string, string, unknown, number, RegExp][] = [
      ['GET', '/admin/bans/abc', undefined, 400, /40 hexadecimal/],
      ['PUT', `/admin/bans/${HASH.slice(1)}g`, {}, 400, /40 hexadecimal/],
      ['PUT', '/admin/bans/%ff', {}, 400, /40 hexadecimal/],
      ['PUT', `/admin/bans/${HASH}`, 'not json', 400, /not JSON/],
      ['PUT', `/admin/bans/${HASH}`, '[]', 400, /JSON object/],
      ['PUT', `/admin/bans/${HASH}`, { reason: 5 }, 400, /text/],
      ['PUT', `/admin/bans/${HASH}`, { reason: 'ä'.repeat(101) }, 400, /200 bytes.*202/],
      ['PUT', `/admin/bans/${HASH}`, { reson: 'x' }, 400, /"reson".*reason/],
      ['POST', '/admin/bans', {}, 400, /hashes must be an array/],
      ['POST', '/admin/bans', { hashes: [] }, 400, /one or more/],
      ['POST', '/admin/bans', { hashes: [HASH, 'x'] }, 400, /hashes\[1\]/],
      ['POST', '/admin/bans', { hashes: [HASH, 7] }, 400, /hashes\[1\]/],
      ['GET', '/admin/bans?limit=0', undefined, 400, /1 to 1000\./],
      ['GET', '/admin/bans?limit=1001', undefined, 400, /1 to 1000\./],
      ['GET', '/admin/bans?cursor=x', undefined, 400, /next/],
      ['GET', '/admin/nowhere', undefined, 404, /\/admin\/bans/],
      ['GET', `/admin/bans/${HASH}/more`, undefined, 404, /\/admin\/bans/],
      ['DELETE', `/admin/bans/${BY_ENVIRONMENT}`, undefined, 409, /BANNED_HASHES/],
      ['DELETE', `/admin/allowed/${formatInfoHash(infoHash(901))}`, undefined, 409, /ALLOWED_HASHES/],
    ];
    for (const [method, path, body, status, sentence] of cases) {
      const answer = await ask(method, path, body);
      assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(body)}`);
      assert.match(answer.body.error, sentence);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    }
    assert.deepEqual(store.keys(), []);
  });

  it('take a reason of 200 bytes, and none', async (context) => {
    const { ask } = await serve(context);
    assert.equal((await ask('PUT', `/admin/bans/${HASH}`, { reason: 'ä'.repeat(100) })).status, 200);
    assert.equal((await ask('PUT', `/admin/bans/${HASH}`)).status, 200);
    assert.equal((await ask('GET', `/admin/bans/${HASH}`)).body.reason, '');
  });

  it('read a list in any form that JSON allows', async (context) => {
    const { ask, access } = await serve(context);
    const bodies = [
      `{"hashes":["${formatInfoHash(infoHash(1))}","${formatInfoHash(infoHash(2))}"],"reason":"[a] list"}`,
      `{"reason":"]","hashes" : [ "${formatInfoHash(infoHash(3)).toUpperCase()}" , "\\u00300${formatInfoHash(infoHash(4)).slice(2)}"\n]}`,
      `\n{"hashes":[\r\n\t"${formatInfoHash(infoHash(5))}"\n]\n}`,
    ];
    for (const body of bodies) assert.equal((await ask('POST', '/admin/bans', body)).status, 200, body);
    assert.equal(access.bans.size, 5);
    assert.equal((await ask('GET', `/admin/bans/${HASH}`)).body.reason, '[a] list');
    for (const body of [
      `{"hashes":["${HASH}",],"reason":""}`,
      `{"hashes":["${HASH}" "${HASH}"]}`,
      `{"hashes":["${HASH}"]`,
      `["${HASH}"]`,
      `{"hashes":{"a":["${HASH}"]}}`,
    ]) {
      assert.equal((await ask('POST', '/admin/bans', body)).status, 400, body);
    }
  });

  it('read a long list whatever its reason is, and say which element is wrong, without parsing all of it', async (context) => {
    const { ask, access } = await serve(context);
    const hashes = Array.from({ length: 5_000 }, (_, index) => formatInfoHash(infoHash(index)));
    const escaped = `\\u0030${hashes[0]!.slice(1)}`;
    const list = JSON.stringify(hashes);
    for (const reason of ['see [1] and [2]', '"hashes":[', 'hashes', ']']) {
      const body = `{"reason":${JSON.stringify(reason)},"hashes":${list}}`;
      assert.equal((await ask('POST', '/admin/bans', body)).status, 200, reason);
      assert.equal((await ask('GET', `/admin/bans/${HASH}`)).body.reason, reason);
      const after = `{"hashes":${list},"reason":${JSON.stringify(reason)}}`;
      assert.equal((await ask('POST', '/admin/bans', after)).status, 200, reason);
    }
    assert.equal(access.bans.size, 5_000);
    // An escape is JSON all right, so that it is refused shows that the list was not parsed as JSON.
    for (const [bad, index] of [
      [`["${escaped}",${list.slice(1)}`, 0],
      [`${list.slice(0, -1)},"x"]`, 5_000],
      [`${list.slice(0, -1)},7]`, 5_000],
    ] as const) {
      const answer = await ask('POST', '/admin/bans', `{"hashes":${bad}}`);
      assert.deepEqual([answer.status, answer.body.error.includes(`hashes[${index}] `)], [400, true]);
    }
    for (const body of [
      `{"hashes":["${HASH}"],"reason":"${'x'.repeat(70_000)}"}`,
      `[${list.slice(1)}`,
      `{"hashes":{"a":${list}}}`,
    ]) {
      const answer = await ask('POST', '/admin/bans', body);
      assert.equal(answer.status, 400);
      assert.match(answer.body.error, /65536 bytes beside the hashes/);
    }
  });

  it('answer other methods with 405 and those that are allowed', async (context) => {
    const { ask, store } = await serve(context);
    for (const [method, path, allow] of [
      ['HEAD', '/admin/bans', 'GET, POST'],
      ['PUT', '/admin/bans', 'GET, POST'],
      ['DELETE', '/admin/bans', 'GET, POST'],
      ['HEAD', `/admin/bans/${HASH}`, 'GET, PUT, DELETE'],
      ['POST', `/admin/bans/${HASH}`, 'GET, PUT, DELETE'],
    ] as const) {
      const { status, headers } = await ask(method, path);
      assert.deepEqual([status, headers.get('allow')], [405, allow], `${method} ${path}`);
    }
    assert.deepEqual(store.keys(), []);
  });

  it('with the store down enforce a ban and do not make an unban, and say which', async (context) => {
    const { ask, store, access } = await serve(context);
    await ask('PUT', `/admin/bans/${HASH}`);
    store.failure = 'unreachable';
    const other = formatInfoHash(infoHash(2));
    const ban = await ask('PUT', `/admin/bans/${other}`);
    assert.deepEqual([ban.status, ban.body.enforced, ban.body.stored], [503, true, false]);
    assert.ok(access.bans.has(infoHash(2)));
    const unban = await ask('DELETE', `/admin/bans/${HASH}`);
    assert.deepEqual([unban.status, unban.body.enforced, unban.body.stored], [503, false, false]);
    assert.ok(access.bans.has(infoHash(1)));
  });

  it('leave a line in the log for each change, without the token', async (context) => {
    const { ask, log } = await serve(context);
    await ask('PUT', `/admin/bans/${HASH}`, { reason: 'asked for' });
    await ask('POST', '/admin/allowed', { hashes: [HASH, BY_ENVIRONMENT] });
    await ask('DELETE', `/admin/bans/${HASH}`);
    const lines = log.lines.filter(({ message }) => message.startsWith('An administrator'));
    assert.deepEqual(
      lines.map(({ fields }) => [fields.list, fields.action, fields.hashes, fields.outcome]),
      [
        ['bans', 'add', 1, 'stored'],
        ['allowed', 'add', 2, 'stored'],
        ['bans', 'remove', 1, 'stored'],
      ],
    );
    assert.ok(!JSON.stringify(log.lines).includes(TOKEN));
  });
});
