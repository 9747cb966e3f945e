/**
 * What clients are told about torrents the tracker does not serve. The numbers inside the failure are what
 * makes clients wait; `retry in` (BEP 31) is for those that know it. No text here holds "unregistered" or "not
 * registered": Transmission takes these words as final and never comes back, which an operator who lifts a ban
 * would not want.
 */
import { Verdict } from '../access/access.ts';
import { ClientError } from '../protocol/client-error.ts';

const FOREVER = { intervalSeconds: 3_600, minIntervalSeconds: 3_600, retryInMinutes: 'never' } as const;
const SOON = { intervalSeconds: 300, minIntervalSeconds: 300, retryInMinutes: 5 } as const;

export const BANNED = new ClientError('torrent not allowed: banned on this tracker', FOREVER);
const NOT_ON_ALLOW_LIST = new ClientError(
  'torrent not allowed: not on the allow list of this tracker',
  FOREVER,
);
/** After a start, until the list has been read: nobody may be told never for that. */
const ALLOW_LIST_NOT_LOADED = new ClientError('allow list not loaded yet: try again in a few minutes', SOON);

const DENIALS: Readonly<Record<Verdict, ClientError | undefined>> = {
  [Verdict.served]: undefined,
  [Verdict.banned]: BANNED,
  [Verdict.notAllowed]: NOT_ON_ALLOW_LIST,
  [Verdict.notLoaded]: ALLOW_LIST_NOT_LOADED,
};

/** What to tell a client about a torrent of this verdict; undefined when the torrent is served. */
export function denialFor(verdict: Verdict): ClientError | undefined {
  return DENIALS[verdict];
}
