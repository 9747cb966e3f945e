/** Announces of made-up peers by number, told to a tracker as its transports do. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnnounceRequest } from '../../src/protocol/announce-request.ts';
import { ClientError } from '../../src/protocol/client-error.ts';
import type { Tracker } from '../../src/tracker/tracker.ts';
import { endpoint, infoHash, peerId } from './swarm.ts';

export interface PeerAnnounce {
  readonly swarm: number;
  readonly peer: number;
  readonly isIpv6: boolean;
  readonly event: AnnounceRequest['event'];
  readonly left: AnnounceRequest['left'];
  /** Another client behind the same endpoint. */
  readonly hasOtherId: boolean;
}

export function anyPeerAnnounce(swarms: number, peers: number): fc.Arbitrary<PeerAnnounce> {
  return fc.record({
    swarm: fc.nat({ max: swarms - 1 }),
    peer: fc.nat({ max: peers - 1 }),
    isIpv6: fc.boolean(),
    event: fc.constantFrom('none', 'none', 'completed', 'stopped', 'paused'),
    left: fc.constantFrom('zero', 'some', 'some'),
    hasOtherId: fc.nat({ max: 9 }).map((n) => n === 0),
  });
}

export function announceTo(tracker: Tracker, one: PeerAnnounce, nowSeconds: number): void {
  const bytes = endpoint(one.isIpv6 ? 1 : 0, one.peer);
  const port = bytes.subarray(-2);
  const reply = tracker.announce(
    {
      infoHash: infoHash(one.swarm),
      peerId: peerId(one.peer + (one.hasOtherId ? 1_000_000 : 0)),
      port: (port[0]! << 8) | port[1]!,
      left: one.left,
      event: one.event,
      numwant: 0,
      isCompact: true,
      withPeerIds: false,
      ip: undefined,
    },
    bytes.subarray(0, -2),
    nowSeconds,
  );
  assert.ok(!(reply instanceof ClientError));
}
