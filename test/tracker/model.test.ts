import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AnnounceEvent, AnnounceRequest, Left } from '../../src/protocol/announce-request.ts';
import { ClientError } from '../../src/protocol/client-error.ts';
import { Counters } from '../../src/stats/counters.ts';
import { NO_JOURNAL } from '../../src/tracker/announce-journal.ts';
import { Tracker } from '../../src/tracker/tracker.ts';
import { seededRandom } from '../builders/random.ts';
import { hashOf, peerIdOf } from '../builders/requests.ts';
import { buildTable, SERVES_ALL, SETTINGS } from '../builders/server.ts';

/** What the tracker knows of one peer, said as plainly as the protocol's table says it. */
interface ModelPeer {
  peerId: number;
  isSeeder: boolean;
  isPartialSeed: boolean;
  hasCompleted: boolean;
}

interface Announce {
  readonly swarm: number;
  readonly peer: number;
  readonly peerId: number;
  readonly isIpv6: boolean;
  readonly left: Left;
  readonly event: AnnounceEvent;
  readonly numwant: number;
}

const anyAnnounce: fc.Arbitrary<Announce> = fc.record({
  swarm: fc.nat({ max: 1 }),
  peer: fc.nat({ max: 5 }),
  peerId: fc.nat({ max: 1 }),
  isIpv6: fc.boolean(),
  left: fc.constantFrom('zero', 'some', 'unknown'),
  event: fc.constantFrom('none', 'none', 'completed', 'stopped', 'paused'),
  numwant: fc.nat({ max: 14 }),
});

const sourceOf = ({ isIpv6, peer }: { isIpv6: boolean; peer: number }): Uint8Array =>
  isIpv6
    ? Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, peer)
    : Uint8Array.of(203, 0, 113, peer);

const keyOf = (announce: { isIpv6: boolean; peer: number }): string =>
  `${Buffer.from(sourceOf(announce)).toString('hex')}1ae1`;

/** Applies the announce to the model and returns how many downloads it completes: 0 or 1. */
function apply(swarm: Map<string, ModelPeer>, announce: Announce): number {
  const { event, left, peerId } = announce;
  const key = keyOf(announce);
  if (event === 'stopped') {
    swarm.delete(key);
    return 0;
  }
  const isCompletion = event === 'completed' && left !== 'some';
  const known = swarm.get(key);
  const hadCompleted = known?.peerId === peerId && known.hasCompleted;
  const isSeeder = left === 'zero' || isCompletion;
  swarm.set(key, {
    peerId,
    isSeeder,
    isPartialSeed: event === 'paused' && !isSeeder,
    hasCompleted: hadCompleted || isCompletion,
  });
  return isCompletion && !hadCompleted ? 1 : 0;
}

const endpointsOf = (bytes: Uint8Array, width: number): string[] =>
  Array.from({ length: bytes.length / width }, (_, index) =>
    Buffer.from(bytes.subarray(index * width, (index + 1) * width)).toString('hex'),
  );

describe('any history of announces', () => {
  it('leaves the counts and gives the peers that the plain model of it has', () => {
    fc.assert(
      fc.property(fc.array(anyAnnounce, { minLength: 1, maxLength: 60 }), (history) => {
        const tracker = new Tracker({
          table: buildTable({ peersMax: 1_000, swarmsMax: 500 }),
          access: SERVES_ALL,
          counters: new Counters(),
          journal: NO_JOURNAL,
          settings: SETTINGS,
          random: seededRandom(5),
        });
        const swarms = [new Map<string, ModelPeer>(), new Map<string, ModelPeer>()] as const;
        const downloads = [0, 0];
        for (const announce of history) {
          const swarm = swarms[announce.swarm]!;
          downloads[announce.swarm] = downloads[announce.swarm]! + apply(swarm, announce);
          const request: AnnounceRequest = {
            infoHash: hashOf(announce.swarm),
            peerId: Buffer.from(peerIdOf(announce.peerId)),
            port: 6881,
            left: announce.left,
            event: announce.event,
            numwant: announce.numwant,
            isCompact: false,
            withPeerIds: true,
            ip: undefined,
          };
          const reply = tracker.announce(request, sourceOf(announce), 1_700_000_000);
          assert.ok(!(reply instanceof ClientError));

          const all = [...swarm.values()];
          const seeders = all.filter((peer) => peer.isSeeder).length;
          const counts = [reply.complete, reply.incomplete, reply.downloaded];
          assert.deepEqual(counts, [seeders, all.length - seeders, downloads[announce.swarm]]);

          const me = swarm.get(keyOf(announce));
          const useful = [...swarm].filter(
            ([key, peer]) =>
              key !== keyOf(announce) && !(peer.isSeeder && (me?.isSeeder || me?.isPartialSeed)),
          );
          const given = [...endpointsOf(reply.peers, 6), ...endpointsOf(reply.peers6, 18)];
          const wanted = announce.event === 'stopped' ? 0 : announce.numwant;
          assert.equal(given.length, Math.min(wanted, useful.length));
          assert.equal(new Set(given).size, given.length);
          const ids = endpointsOf(reply.peerIds, 20);
          for (const [index, key] of given.entries()) {
            const peer = useful.find(([usefulKey]) => usefulKey === key)?.[1];
            assert.equal(ids[index], peer && Buffer.from(peerIdOf(peer.peerId)).toString('hex'));
          }
          const ownFamily = useful.filter(([key]) => key.length === keyOf(announce).length).length;
          const ownGiven = announce.isIpv6 ? reply.peers6.length / 18 : reply.peers.length / 6;
          assert.equal(ownGiven, Math.min(wanted, ownFamily));

          const [scraped] = tracker.scrape([hashOf(announce.swarm)]).files;
          const partialSeeds = all.filter((peer) => peer.isPartialSeed).length;
          assert.equal(scraped?.downloaders, all.length - seeders - partialSeeds);
          assert.equal(scraped.complete, seeders);
        }
      }),
      { numRuns: 300 },
    );
  });
});
