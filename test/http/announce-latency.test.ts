import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { announceQuery, rawRequest, scrapeQuery } from '../builders/requests.ts';
import { type RunningServer, startServer } from '../builders/server.ts';
import { infoHash } from '../builders/swarm.ts';
import { success } from '../wire/ask.ts';
import { Connection } from '../wire/connection.ts';

const ANNOUNCE = rawRequest(`/announce?${announceQuery()}`);
const SCRAPE = rawRequest(`/scrape?${scrapeQuery(infoHash(1))}`);

/** More than any answer takes: what is not recorded by then never is. */
const TURNS_MAX = 20_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until so many announces are recorded; the answer's bytes may be here before that. */
async function recorded({ counters }: RunningServer, count: number): Promise<void> {
  for (let turns = 0; counters.announceLatency.total < count && turns < TURNS_MAX; turns += 1) await turn();
  await turn();
  assert.equal(counters.announceLatency.total, count);
}

/** A clock that goes on by a millisecond with each look at it. */
function lookCounter(): { monotonicMs: () => number; looks: number } {
  const counter = {
    looks: 0,
    monotonicMs(): number {
      counter.looks += 1;
      return counter.looks;
    },
  };
  return counter;
}

describe('how long announces take', () => {
  it('is recorded of each once, and of no scrape, in the express lane', async () => {
    await using server = await startServer({ hasLane: true });
    using connection = await Connection.open(server.port);
    for (let count = 1; count <= 40; count += 1) {
      connection.send(ANNOUNCE);
      success((await connection.response())!);
      connection.send(SCRAPE);
      success((await connection.response())!);
      await recorded(server, count);
    }
    assert.equal(server.counters.laneAnnounces, 40);
  });

  it('is recorded of each that was pipelined, or came while its connection waited for its turn', async () => {
    await using server = await startServer({ hasLane: true });
    using connection = await Connection.open(server.port);
    connection.send(Buffer.concat([ANNOUNCE, SCRAPE, ANNOUNCE, ANNOUNCE.subarray(0, 50)]));
    for (let count = 0; count < 3; count += 1) success((await connection.response())!);
    await recorded(server, 2);
    connection.send(ANNOUNCE.subarray(50));
    success((await connection.response())!);
    await recorded(server, 3);
  });

  it('is recorded of each that shares a turn of the event loop, or ends its connection', async () => {
    await using server = await startServer({ hasLane: true });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
        if (number % 2 === 0) socket.end(ANNOUNCE);
        else socket.write(rawRequest(`/announce?${announceQuery()}`, ['Connection: close']));
        const bytes = Buffer.concat(await socket.toArray());
        socket.destroy();
        return bytes;
      }),
    );
    assert.equal(answers.length, 100);
    await recorded(server, 100);
  });

  it('costs a turn of the lane one look at the clock beyond the two that it takes anyway', async () => {
    const clock = lookCounter();
    await using server = await startServer({ hasLane: true, monotonicMs: clock.monotonicMs });
    using connection = await Connection.open(server.port);
    connection.send(ANNOUNCE);
    success((await connection.response())!);
    await recorded(server, 1);
    assert.equal(clock.looks, 3);
    assert.equal(server.counters.announceLatency.sumSeconds, 0.002);
  });

  it('is recorded of each that Express answers, well or not, and of nothing else', async () => {
    await using server = await startServer({ hasLane: false, monotonicMs: lookCounter().monotonicMs });
    const ask = async (path: string, method = 'GET'): Promise<void> => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      await response.arrayBuffer();
    };
    await ask(`/announce?${announceQuery()}`);
    await ask('/announce?info_hash=%zz');
    await ask(`/scrape?${scrapeQuery(infoHash(1))}`);
    await ask('/announce', 'POST');
    await ask('/nothing');
    await recorded(server, 2);
    assert.equal(server.counters.announces, 2);
    assert.equal(server.counters.announceLatency.sumSeconds, 0.002);
  });
});
