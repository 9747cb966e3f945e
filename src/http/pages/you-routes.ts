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
import { type AnnounceUrlSettings, announceUrls } from './announce-url.ts';
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
    const urls = announceUrls(request.headers, parts.settings);
    frame.send(
      response,
      youPage(visitorOf(request, parts), torrentOf(request, urls, parts), urls, parts.settings),
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

function torrentOf(request: Request, urls: readonly string[], { access, tracker }: YouParts): Torrent {
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
    isTrackerNamed: namesTracker(pasted, urls),
  };
}

/**
 * Whether one of a link's trackers (`tr`) is at one of `urls`, over whichever of HTTP and HTTPS; undefined when the link
 * names none, or nothing tells where this one is.
 */
function namesTracker(link: string, urls: readonly string[]): boolean | undefined {
  const trackers = new URLSearchParams(link.slice(link.indexOf('?') + 1)).getAll('tr');
  const places = urls.map(placeOf).filter((place) => place !== undefined);
  if (trackers.length === 0 || places.length === 0) return undefined;
  return trackers.some((tracker) => places.includes(placeOf(tracker) ?? ''));
}

/** Host, port unless it is the scheme's own, and path; undefined for what no announce over HTTP could be sent to. */
function placeOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, pathname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  return host + pathname.replace(/\/$/, '');
}
