/**
 * /you: for the user whose two clients do not meet. What the tracker sees of the visitor, as an announce from here would
 * be recorded or refused, and, for a torrent that he pastes, the swarm's counts and whether it is served. Nothing about
 * anybody else: no address but his own, and of a swarm what a scrape tells everybody. How it looks is you-page.ts's.
 */
import { type Request, Router } from 'express';
import type { Access } from '../../access/access.ts';
import { formatAddress } from '../../protocol/address.ts';
import { ClientError } from '../../protocol/client-error.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { infoHashFrom } from '../../protocol/magnet.ts';
import { UNREACHABLE_ADDRESS } from '../../protocol/unreachable-address.ts';
import { denialFor } from '../../tracker/denial.ts';
import type { PeerAddresses } from '../../tracker/peer-address.ts';
import type { Tracker } from '../../tracker/tracker.ts';
import { type ClientAddresses, forwardingOf, remoteAddressOf } from '../client-address.ts';
import { readOnly } from '../web-reply.ts';
import { type AnnounceUrlSettings, announceUrl } from './announce-url.ts';
import type { PageFrame } from './page.ts';
import { type Torrent, type Visitor, youPage } from './you-page.ts';

export interface YouParts {
  readonly clientAddresses: Pick<ClientAddresses, 'addressOf'>;
  readonly peerAddresses: Pick<PeerAddresses, 'select'>;
  readonly access: Pick<Access, 'verdict'>;
  readonly tracker: Pick<Tracker, 'swarm'>;
  readonly settings: AnnounceUrlSettings & {
    readonly announceIntervalSeconds: number;
    readonly peerTtlSeconds: number;
  };
}

export function youRoutes(frame: PageFrame, parts: YouParts): Router {
  const router = Router({ caseSensitive: true });
  readOnly(router, '/you', (request, response) => {
    const url = announceUrl(request.headers, parts.settings);
    frame.send(
      response,
      youPage(visitorOf(request, parts), torrentOf(request, url, parts), url, parts.settings),
    );
  });
  return router;
}

function visitorOf(request: Request, { clientAddresses, peerAddresses }: YouParts): Visitor {
  const connected = { address: remoteAddressOf(request.socket) };
  const source = clientAddresses.addressOf(connected, forwardingOf(request));
  if (source instanceof ClientError)
    return { address: undefined, family: undefined, refusal: source.failureReason };
  const isTaken = peerAddresses.select(source, undefined) !== undefined;
  return {
    address: formatAddress(source),
    family: source.length === 4 ? 'IPv4' : 'IPv6',
    refusal: isTaken ? undefined : UNREACHABLE_ADDRESS.failureReason,
  };
}

function torrentOf(request: Request, url: string | undefined, { access, tracker }: YouParts): Torrent {
  const [, query = ''] = request.url.split('?', 2);
  const pasted = new URLSearchParams(query).get('torrent')?.trim() ?? '';
  if (pasted === '') return { kind: 'none' };
  const infoHash = infoHashFrom(pasted);
  if (infoHash === undefined) return { kind: 'no hash' };
  const refusal = denialFor(access.verdict(infoHash))?.failureReason;
  return {
    kind: 'torrent',
    infoHash: formatInfoHash(infoHash),
    refusal,
    swarm: refusal === undefined ? tracker.swarm(infoHash) : undefined,
    isTrackerNamed: url === undefined ? undefined : namesTracker(pasted, url),
  };
}

/** Whether one of a link's trackers (`tr`) has the host and path of `url`, over whichever scheme. */
function namesTracker(link: string, url: string): boolean | undefined {
  const trackers = new URLSearchParams(link.slice(link.indexOf('?') + 1)).getAll('tr');
  if (trackers.length === 0) return undefined;
  const wanted = withoutScheme(url);
  return trackers.some((tracker) => withoutScheme(tracker) === wanted);
}

function withoutScheme(url: string): string {
  return url
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/$/, '');
}
