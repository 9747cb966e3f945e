import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { type Response, Router } from 'express';
import { announceQuery, rawRequest } from '../builders/requests.ts';
import { startServer } from '../builders/server.ts';
import { success } from '../wire/ask.ts';
import { Connection } from '../wire/connection.ts';

/** Longer than any test: what ends sooner did not wait for it. */
const NEVER_MS = 600_000;
const ANNOUNCE = rawRequest(`/announce?${announceQuery()}`);

/** A route whose answer the test gives; `asked` resolves with the response once the request is there. */
function heldRoute(): { router: Router; asked: Promise<Response> } {
  const router = Router();
  const asked = new Promise<Response>((resolve) => {
    router.get('/held', (_request, response) => resolve(response));
  });
  return { router, asked };
}

describe('a server that drains', () => {
  it('takes no new connections', async () => {
    await using server = await startServer();
    await server.http.drain({ idleMs: 0, msMax: NEVER_MS });
    const socket = connect(server.port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ECONNREFUSED');
  });

  it('answers what a kept connection still sends, says close, and is done when it has gone', async () => {
    await using server = await startServer();
    using kept = await Connection.open(server.port);
    kept.send(ANNOUNCE);
    assert.equal((await kept.response())?.fields.get('connection'), 'keep-alive');
    const drained = server.http.drain({ idleMs: NEVER_MS, msMax: NEVER_MS });
    kept.send(ANNOUNCE);
    const last = await kept.response();
    success(last!);
    assert.equal(last?.fields.get('connection'), 'close');
    await kept.closed;
    await drained;
    assert.equal(server.http.connections, 0);
  });

  it('answers a connection that was accepted and has said nothing yet', async () => {
    await using server = await startServer();
    using fresh = await Connection.open(server.port);
    while (server.http.connections === 0) await new Promise((resolve) => setImmediate(resolve));
    const drained = server.http.drain({ idleMs: NEVER_MS, msMax: NEVER_MS });
    fresh.send(ANNOUNCE);
    success((await fresh.response())!);
    await drained;
  });

  it('closes idle connections after their time, those that never spoke among them', async () => {
    await using server = await startServer();
    using silent = await Connection.open(server.port);
    using kept = await Connection.open(server.port);
    kept.send(ANNOUNCE);
    await kept.response();
    await server.http.drain({ idleMs: 20, msMax: NEVER_MS });
    await kept.closed;
    await silent.closed;
  });

  it('waits for an answer under way, and that one says close too', async () => {
    const { router, asked } = heldRoute();
    await using server = await startServer({ routers: [router] });
    using connection = await Connection.open(server.port);
    connection.send(rawRequest('/held'));
    const response = await asked;
    let isDrained = false;
    const drained = server.http.drain({ idleMs: 0, msMax: NEVER_MS }).then(() => {
      isDrained = true;
    });
    using other = await Connection.open(server.port).catch(() => undefined);
    assert.equal(other, undefined);
    assert.equal(isDrained, false);
    response.send('done');
    const answer = await connection.response();
    assert.equal(answer?.body.toString(), 'done');
    assert.equal(answer.fields.get('connection'), 'close');
    await drained;
  });

  it('closes a connection whose answer had already said keep-alive, once that answer is whole', async () => {
    const { router, asked } = heldRoute();
    await using server = await startServer({ routers: [router] });
    using connection = await Connection.open(server.port);
    connection.send(rawRequest('/held'));
    const response = await asked;
    response.writeHead(200, { 'Content-Length': 8 });
    response.write('half');
    while (!connection.received.includes('half')) await once(connection.socket, 'data');
    const drained = server.http.drain({ idleMs: 0, msMax: NEVER_MS });
    response.end('half');
    assert.equal((await connection.response())?.body.toString(), 'halfhalf');
    await drained;
    await connection.closed;
  });

  it('cuts whatever is left at the end of its time', async () => {
    const { router, asked } = heldRoute();
    await using server = await startServer({ routers: [router] });
    using held = await Connection.open(server.port);
    using begun = await Connection.open(server.port);
    begun.send('GET /announce?');
    held.send(rawRequest('/held'));
    await asked;
    await server.http.drain({ idleMs: 0, msMax: 50 });
    await held.closed;
    await begun.closed;
    assert.equal(server.http.connections, 0);
  });

  it('drains once, however often it is told to', async () => {
    await using server = await startServer();
    const options = { idleMs: 0, msMax: NEVER_MS };
    assert.equal(server.http.drain(options), server.http.drain(options));
    await server.http.drain(options);
  });
});

describe('a server that listens', () => {
  it('rejects when the port is taken', async () => {
    await using server = await startServer();
    await using other = await startServer();
    await assert.rejects(other.http.listen(server.port, '127.0.0.1'), { code: /ERR_SERVER_ALREADY_LISTEN/ });
    await other.http.drain({ idleMs: 0, msMax: 0 });
    await assert.rejects(other.http.listen(server.port, '127.0.0.1'), { code: 'EADDRINUSE' });
  });
});
