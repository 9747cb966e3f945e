import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AnnounceReply } from '../../src/protocol/announce-reply.ts';
import type { AnnounceRequest } from '../../src/protocol/announce-request.ts';
import { ClientError } from '../../src/protocol/client-error.ts';
import { Counters } from '../../src/stats/counters.ts';
import { NO_JOURNAL } from '../../src/tracker/announce-journal.ts';
import { Tracker, type TrackerOptions } from '../../src/tracker/tracker.ts';
import { seededRandom } from '../builders/random.ts';
import { hashOf, peerIdOf } from '../builders/requests.ts';
import { buildTable, SERVES_ALL, SETTINGS } from '../builders/server.ts';

const NOW = 1_700_000_000;

const REQUEST: AnnounceRequest = {
  infoHash: hashOf(1),
  peerId: Buffer.from(peerIdOf(1)),
  port: 6881,
  left: 'some',
  event: 'none',
  numwant: -1,
  isCompact: true,
  withPeerIds: true,
  ip: undefined,
};

function build(options: Partial<TrackerOptions> = {}) {
  const table = buildTable();
  const counters = new Counters();
  const tracker = new Tracker({
    table,
    counters,
    access: SERVES_ALL,
    journal: NO_JOURNAL,
    settings: SETTINGS,
    random: seededRandom(3),
    ...options,
  });
  const announce = (changes: Partial<AnnounceRequest> = {}, source = [203, 0, 113, 7]): AnnounceReply => {
    const reply = tracker.announce({ ...REQUEST, ...changes }, Uint8Array.from(source), NOW);
    assert.ok(!(reply instanceof ClientError));
    return reply;
  };
  return { table, counters, tracker, announce };
}

const portsOf = ({ peers }: AnnounceReply): number[] => {
  const view = new DataView(peers.buffer, peers.byteOffset, peers.byteLength);
  return Array.from({ length: peers.length / 6 }, (_, index) => view.getUint16(index * 6 + 4));
};

describe('who gets whom', () => {
  function fill(announce: ReturnType<typeof build>['announce']): void {
    for (let port = 1; port <= 3; port++) announce({ port, left: 'zero' });
    for (let port = 11; port <= 12; port++) announce({ port });
    announce({ port: 21, event: 'paused' });
  }

  it('a leecher gets everybody else', () => {
    const { announce } = build();
    fill(announce);
    assert.deepEqual(
      portsOf(announce()).sort((a, b) => a - b),
      [1, 2, 3, 11, 12, 21],
    );
  });

  it('a seeder and a partial seed get leechers only, even when they are few', () => {
    const { announce } = build();
    fill(announce);
    for (const changes of [
      { left: 'zero' },
      { event: 'paused' },
      { left: 'unknown', event: 'completed' },
    ] as const) {
      const ports = portsOf(announce({ ...changes, port: 5 }));
      assert.ok(ports.includes(11) && ports.includes(12));
      assert.ok(
        ports.every((port) => port > 5),
        String(ports),
      );
    }
  });

  it('nobody gets itself, over the other family neither', () => {
    const { announce } = build();
    const ipv6 = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    announce({}, ipv6);
    assert.equal(announce({}, ipv6).peers6.length, 0);
    assert.equal(announce().peers6.length, 18);
    assert.equal(announce().peers.length, 0);
  });

  it('peer ids stand in the order of the addresses, IPv4 first, whichever family asks', () => {
    const { announce } = build();
    const ipv6 = (last: number) => [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    announce({ port: 4, peerId: Buffer.from(peerIdOf(4)) });
    announce({ port: 6, peerId: Buffer.from(peerIdOf(6)) }, ipv6(6));
    const expected = Buffer.from(peerIdOf(4) + peerIdOf(6));
    for (const source of [[203, 0, 113, 9], ipv6(9)]) {
      const reply = announce({ isCompact: false, event: 'stopped' }, source);
      assert.equal(reply.peerIds.length, 0);
      const { peerIds } = announce({ isCompact: false, left: 'some', port: 99 }, source);
      assert.ok(Buffer.from(peerIds).includes(expected.subarray(0, 20)));
      assert.deepEqual(Buffer.from(peerIds.subarray(0, 20)), expected.subarray(0, 20));
      announce({ event: 'stopped', port: 99 }, source);
    }
  });
});

describe('the interval of an answer', () => {
  it('is drawn evenly from the whole range, so that a herd disperses', () => {
    const { announce } = build({
      settings: { ...SETTINGS, announceIntervalSeconds: 1800, announceIntervalJitterSeconds: 2 },
    });
    const counts = new Map<number, number>();
    for (let time = 0; time < 5_000; time++) {
      const { intervalSeconds } = announce();
      counts.set(intervalSeconds, (counts.get(intervalSeconds) ?? 0) + 1);
    }
    assert.deepEqual([...counts.keys()].sort(), [1798, 1799, 1800, 1801, 1802]);
    // 1,000 expected of each; four standard deviations are 113. The seed is fixed.
    for (const [interval, count] of counts) assert.ok(Math.abs(count - 1_000) < 113, `${interval}: ${count}`);
  });

  it('reaches both ends and never falls below min interval', () => {
    const intervals = [0, 2 ** 32 - 1].map((drawn) => {
      const settings = {
        ...SETTINGS,
        announceIntervalSeconds: 1000,
        announceIntervalJitterSeconds: 200,
        minAnnounceIntervalSeconds: 900,
      };
      const { intervalSeconds, minIntervalSeconds } = build({ random: () => drawn, settings }).announce();
      return [intervalSeconds, minIntervalSeconds];
    });
    assert.deepEqual(intervals, [
      [800, 800],
      [1200, 900],
    ]);
  });
});

describe('an announce', () => {
  it('is counted by what it was', () => {
    const { announce, counters } = build();
    announce();
    announce({ event: 'completed', left: 'zero' });
    announce({ event: 'paused' });
    announce({ event: 'stopped' }, [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const { announcesIpv4, announcesIpv6, announcesCompleted, announcesPaused, announcesStopped } = counters;
    assert.deepEqual(
      { announcesIpv4, announcesIpv6, announcesCompleted, announcesPaused, announcesStopped },
      { announcesIpv4: 3, announcesIpv6: 1, announcesCompleted: 1, announcesPaused: 1, announcesStopped: 1 },
    );
    assert.equal(counters.addresses.count(NOW), 2);
  });

  it('that is refused changes no swarm and is counted by its reason', () => {
    const verdicts = [1, 2, 3] as const;
    const { tracker, table, counters } = build({
      access: { verdict: (hash) => verdicts[hash[0]! - 1] ?? 0 },
      settings: { ...SETTINGS, trustProxy: 1 },
    });
    const refusal = (byte: number, source: number[]): string => {
      const reply = tracker.announce({ ...REQUEST, infoHash: hashOf(byte) }, Uint8Array.from(source), NOW);
      assert.ok(reply instanceof ClientError);
      return reply.failureReason;
    };
    assert.match(refusal(9, [10, 0, 0, 1]), /^cannot determine client address: /);
    assert.match(refusal(1, [203, 0, 113, 7]), /^torrent not allowed: banned/);
    assert.match(refusal(2, [203, 0, 113, 7]), /^torrent not allowed: not on the allow list/);
    assert.doesNotMatch(refusal(3, [203, 0, 113, 7]), /not allowed|never|registered/);
    assert.equal(table.totals.swarms, 0);
    assert.deepEqual(
      [counters.refusedAddress, counters.refusedBanned, counters.refusedNotAllowed],
      [1, 1, 2],
    );
    assert.equal(counters.addresses.count(NOW), 0);
  });

  it('is answered in memory that the next answer uses again', () => {
    const { announce } = build();
    announce({ port: 1 });
    announce({ port: 2 });
    const first = announce({ port: 3, numwant: 1 }).peers;
    const second = announce({ port: 4, numwant: 1 }).peers;
    assert.equal(first.buffer, second.buffer);
  });
});
