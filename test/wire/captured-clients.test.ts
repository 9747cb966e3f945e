import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseInfoHash } from '../../src/protocol/info-hash.ts';
import { rawRequest } from '../builders/requests.ts';
import { HAS_LANE, startServer } from '../builders/server.ts';
import { dialogue } from '../http/dialogue.ts';
import { countsOf, peersOf, scrape, success } from './ask.ts';
import { Connection } from './connection.ts';

/** Request heads as the clients of Debian 12 sent them, byte for byte. */
const FOLDER = new URL('./clients/', import.meta.url);
const captured = (name: string): Buffer => readFileSync(new URL(`${name}.http`, FOLDER));

const HASH = parseInfoHash('0f919b36bd398a79d7987d6f273b9ff20502eddb')!;

interface Client {
  readonly name: string;
  readonly port: number;
  readonly isSeeder: boolean;
  readonly closes: boolean;
}

const CLIENTS: readonly Client[] = [
  { name: 'transmission-3.00', port: 21002, isSeeder: false, closes: false },
  { name: 'aria2-1.36', port: 21003, isSeeder: true, closes: false },
  { name: 'libtorrent-2.0.8', port: 21004, isSeeder: true, closes: true },
];

describe('requests captured from real clients', () => {
  for (const { name, port, isSeeder, closes } of CLIENTS) {
    it(`${name} starts and stops`, async () => {
      await using server = await startServer();
      using first = await Connection.open(server.port);
      first.send(captured(`${name}-started`));
      const started = await first.response();
      const answer = success(started!);
      assert.deepEqual(countsOf(answer), isSeeder ? [1, 0, 0] : [0, 1, 0]);
      assert.deepEqual(peersOf(answer), []);
      assert.equal(started?.fields.get('content-encoding'), undefined);
      if (closes) await first.closed;
      using second = await Connection.open(server.port);
      const next = closes ? second : first;
      next.send(captured(`${name}-stopped`));
      assert.deepEqual(countsOf(success((await next.response())!)), [0, 0, 0]);
      assert.equal(server.table.totals.peers, 0);
      assert.equal(server.counters.laneAnnounces, HAS_LANE ? 2 : 0);
    });

    it(`${name} is found by others`, async () => {
      await using server = await startServer();
      using connection = await Connection.open(server.port);
      connection.send(captured(`${name}-started`));
      success((await connection.response())!);
      using other = await Connection.open(server.port);
      const query = captured('transmission-3.00-started').toString('latin1').split(' ')[1]!;
      other.send(rawRequest(query.replace('port=21002', 'port=6881')));
      assert.deepEqual(peersOf(success((await other.response())!)), [`127.0.0.1:${port}`]);
    });
  }

  it('transmission-3.00 scrapes', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    connection.send(captured('aria2-1.36-started'));
    success((await connection.response())!);
    connection.send(captured('transmission-3.00-scrape'));
    const response = await connection.response();
    assert.equal(response?.status, 200);
    assert.equal(response.body.length, 135);
    assert.equal(server.counters.laneScrapes, HAS_LANE ? 1 : 0);
    assert.equal((await scrape(server, HASH)).complete, 1);
  });

  for (const name of readdirSync(FOLDER).map((file) => file.replace('.http', ''))) {
    it(`${name} is the lane's to answer, wherever it is split`, async () => {
      await using server = await startServer({ hasLane: true });
      const request = captured(name);
      for (let end = 1; end < request.length; end++) {
        const { responses } = await dialogue(server.port, [request.subarray(0, end), request.subarray(end)]);
        assert.equal(responses.length, 1);
        assert.equal(responses[0]?.statusLine, 'HTTP/1.1 200 OK');
      }
      const { laneAnnounces, laneScrapes, laneHandovers } = server.counters;
      assert.equal(name.endsWith('scrape') ? laneScrapes : laneAnnounces, request.length - 1);
      assert.equal(laneHandovers, 0);
    });
  }

  it("several on one connection, split between two, are the lane's to answer", async () => {
    await using server = await startServer({ hasLane: true });
    const three = ['transmission-3.00-started', 'transmission-3.00-scrape', 'transmission-3.00-stopped'];
    const bytes = Buffer.concat(three.map(captured));
    for (const end of [captured(three[0]!).length, captured(three[0]!).length + 1, bytes.length - 1]) {
      const { responses } = await dialogue(server.port, [bytes.subarray(0, end), bytes.subarray(end)]);
      assert.equal(responses.length, 3);
    }
    const { laneAnnounces, laneScrapes, laneHandovers } = server.counters;
    assert.deepEqual([laneAnnounces, laneScrapes, laneHandovers], [6, 3, 0]);
  });
});
