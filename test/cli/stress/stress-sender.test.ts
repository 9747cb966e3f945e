/**
 * The sender's clock is the real one here, so only what no slow machine can change is asserted: counts, and latencies
 * from below.
 */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import test, { describe, type TestContext } from 'node:test';
import { type Outcome, type SenderOptions, sendAtRate } from '../../../src/cli/stress/stress-sender.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const CLOSING = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** A server that answers each request as told, and the sender's options for it. */
async function load(
  context: TestContext,
  answer: (socket: Socket, request: number) => void,
  changes: Partial<SenderOptions> = {},
) {
  let requests = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const _ of bytes.toString().matchAll(/\r\n\r\n/g)) answer(socket, requests++);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const outcomes: Outcome[] = [];
  const latenciesMs: number[] = [];
  const sent = await sendAtRate({
    connect: () => connect(port, '127.0.0.1'),
    connections: 4,
    requestsPerSecond: 500,
    durationMs: 200,
    graceMs: 20_000,
    nextRequest: () => 'GET / HTTP/1.1\r\n\r\n',
    onOutcome: (outcome, latencyMs, _atMs, unsentMs) => {
      assert.ok(unsentMs >= 0 && unsentMs <= latencyMs);
      outcomes.push(outcome);
      latenciesMs.push(latencyMs);
    },
    monotonicMs: () => performance.now(),
    ...changes,
  });
  const count = (wanted: Outcome): number => outcomes.filter((outcome) => outcome === wanted).length;
  return { sent, outcomes, latenciesMs, count, heard: () => requests, opened: () => connections };
}

describe('the sender at a constant rate', () => {
  test('sends every request that is due, on connections that it keeps', async (context) => {
    const run = await load(context, (socket) => socket.write(OK));
    assert.equal(run.sent.requests, 100);
    assert.equal(run.heard(), 100);
    assert.equal(run.count('answered'), 100);
    assert.ok(run.opened() <= 4);
  });

  test('opens a connection anew when the server closed it', async (context) => {
    const run = await load(context, (socket) => socket.end(CLOSING));
    assert.equal(run.count('answered'), 100);
    assert.equal(run.opened(), 100);
  });

  test('charges a stall of the server to every request that was due meanwhile', async (context) => {
    const held: Socket[] = [];
    const stallMs = 300;
    let isOver = false;
    const run = await load(context, (socket) => {
      if (isOver) return void socket.write(OK);
      held.push(socket);
      if (held.length > 1) return;
      setTimeout(() => {
        isOver = true;
        for (const each of held) each.write(OK);
      }, stallMs);
    });
    assert.equal(run.count('answered'), 100);
    // All 100 were due within 200 ms of the stall's 300, so each waited for 100 ms at least.
    assert.ok(Math.min(...run.latenciesMs) >= 90, String(Math.min(...run.latenciesMs)));
  });

  test('counts what was never answered, with the time it waited', async (context) => {
    const run = await load(context, () => {}, { graceMs: 100 });
    assert.equal(run.count('unanswered'), 100);
    assert.equal(run.heard(), 4);
    assert.ok(run.latenciesMs.every((latencyMs) => latencyMs >= 90));
  });

  test('counts a lost connection and a bad status as failed, and goes on', async (context) => {
    const run = await load(context, (socket, request) => {
      if (request % 4 === 0) socket.destroy();
      else if (request % 4 === 1) socket.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
      else if (request % 4 === 2) socket.write('no HTTP at all\r\n\r\n');
      else socket.write(OK);
    });
    assert.equal(run.count('failed'), 75);
    assert.equal(run.count('answered'), 25);
  });

  test('ends at once when it is told to', async (context) => {
    const ending = new AbortController();
    const run = await load(
      context,
      (socket, request) => {
        if (request === 10) ending.abort();
        socket.write(OK);
      },
      { durationMs: 3_600_000, signal: ending.signal },
    );
    assert.ok(run.sent.requests < 1_800_000);
    assert.equal(run.outcomes.length, run.sent.requests);
  });
});
