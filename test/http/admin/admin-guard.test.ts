import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AdminServer, startAdminServer, TOKEN } from '../../builders/admin-server.ts';

const WRONG = 'Bearer not-the-token';

/** The status, as a client whose address the proxy says. */
async function statusOf({ ask }: AdminServer, authorization: string | null, from = '198.51.100.7') {
  const headers = { 'X-Forwarded-For': from };
  return (await ask('GET', '/admin/bans', { authorization, headers })).status;
}

describe('the guard of the admin API', () => {
  it('does not listen to a client any more after too many wrong tokens, not even with the right one', async (context) => {
    const server = await startAdminServer(context, { trustProxy: 1, wrongTokensMax: 3 });
    for (let tries = 0; tries < 3; tries++) assert.equal(await statusOf(server, WRONG), 401);
    for (const authorization of [WRONG, `Bearer ${TOKEN}`, null]) {
      assert.equal(await statusOf(server, authorization), 429);
    }
    const { headers, body } = await server.ask('GET', '/admin/bans', {
      headers: { 'X-Forwarded-For': '198.51.100.7' },
    });
    const seconds = Number(headers.get('retry-after'));
    assert.ok(seconds > 0 && seconds <= 900, `${seconds} s`);
    assert.match(body.error, /wrong tokens/);
  });

  it('knows a client by the address that its proxy saw, and nothing that the client says of itself', async (context) => {
    const server = await startAdminServer(context, { trustProxy: 1, wrongTokensMax: 2 });
    assert.equal(await statusOf(server, WRONG, '203.0.113.1, 198.51.100.7'), 401);
    assert.equal(await statusOf(server, WRONG, '203.0.113.2, 198.51.100.7'), 401);
    assert.equal(await statusOf(server, `Bearer ${TOKEN}`, '203.0.113.3, 198.51.100.7'), 429);
    assert.equal(await statusOf(server, `Bearer ${TOKEN}`, '198.51.100.7, 198.51.100.8'), 200);
  });

  it('takes the addresses of one household over IPv6 for one client', async (context) => {
    const server = await startAdminServer(context, { trustProxy: 1, wrongTokensMax: 2 });
    assert.equal(await statusOf(server, WRONG, '2001:db8:1:100::1'), 401);
    assert.equal(await statusOf(server, WRONG, '2001:db8:1:1ff:abcd::2'), 401);
    assert.equal(await statusOf(server, WRONG, '2001:db8:1:1ab::3'), 429);
    assert.equal(await statusOf(server, WRONG, '2001:db8:1:200::3'), 401);
  });

  it('without a proxy goes by the socket, whatever a header says', async (context) => {
    const server = await startAdminServer(context, { trustProxy: 0, wrongTokensMax: 2 });
    assert.equal(await statusOf(server, WRONG, '198.51.100.1'), 401);
    assert.equal(await statusOf(server, WRONG, '198.51.100.2'), 401);
    assert.equal(await statusOf(server, WRONG, '198.51.100.3'), 429);
  });

  it('counts only tokens that were sent and wrong', async (context) => {
    const server = await startAdminServer(context, { trustProxy: 1, wrongTokensMax: 2 });
    for (let tries = 0; tries < 5; tries++) {
      assert.equal(await statusOf(server, null), 401);
      assert.equal(await statusOf(server, `Bearer ${TOKEN}`), 200);
    }
    assert.equal(await statusOf(server, WRONG), 401);
    assert.equal(await statusOf(server, `Bearer ${TOKEN}`), 200);
  });

  it('lets the right token ask so many times a minute, and then says how long to wait', async (context) => {
    const server = await startAdminServer(context, { requestsPerMinuteMax: 3 });
    for (let tries = 0; tries < 3; tries++)
      assert.equal((await server.ask('GET', '/admin/bans')).status, 200);
    const { status, headers } = await server.ask('GET', '/admin/bans');
    assert.equal(status, 429);
    assert.ok(Number(headers.get('retry-after')) > 0);
    assert.equal((await server.ask('GET', '/admin/bans', { authorization: WRONG })).status, 401);
  });

  it('leaves a line for each wrong token and none for those it no longer hears, without token and address', async (context) => {
    const server = await startAdminServer(context, { trustProxy: 1, wrongTokensMax: 2 });
    for (let tries = 0; tries < 4; tries++) await statusOf(server, WRONG);
    const lines = server.log.lines.filter(({ message }) => message === 'A wrong admin token was refused.');
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields.who, fields.wrongOfThisClient, fields.mustWait]),
      [
        ['warn', 'token', 1, false],
        ['warn', 'token', 2, true],
      ],
    );
    const all = JSON.stringify(server.log.lines);
    for (const secret of ['not-the-token', TOKEN, '198.51']) assert.ok(!all.includes(secret), secret);
  });
});
