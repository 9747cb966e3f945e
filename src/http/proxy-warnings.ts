/**
 * Notices what a wrong TRUST_PROXY looks like from here, every tracker operator's mistake: announces that carry
 * proxies' headers which nobody counts, or that all seem to come from one address. Each kind is logged once and
 * stays in `warnings` for the stats page, with the setting to change. No address is ever part of a text, and
 * nothing is changed on the word of a header: anybody can send one.
 */
import type { Log } from '../log.ts';
import { IPV6_BYTES } from '../protocol/address.ts';
import { ClientError } from '../protocol/client-error.ts';

export interface ProxyWarningOptions {
  /** How many proxies stand before the tracker; undefined when nobody said. */
  readonly trustProxy: number | undefined;
  readonly log: Pick<Log, 'warn'>;
}

/** How many announces are looked at together, and how many of them from one address are nearly all. */
export const WINDOW_ANNOUNCES = 1000;
const NEARLY_ALL_ANNOUNCES = 950;

export class ProxyWarnings {
  readonly #trustProxy: number | undefined;
  readonly #log: Pick<Log, 'warn'>;
  readonly #texts = new Map<string, string>();
  /** The fewest entries in a refused X-Forwarded-For: a client may add entries, none can take one away. */
  #fewestEntries = Number.POSITIVE_INFINITY;

  // The vote over the window at hand: an announce from `candidate` adds to the lead, any other takes away from
  // it, and who stands at zero is replaced (Boyer, Moore 1981). Whoever sent a of w announces leads by at least
  // a - (w - a), and nobody who leads by l sent fewer than (w + l) / 2.
  #heard = 0;
  #lead = 0;
  readonly #candidate = new Uint8Array(IPV6_BYTES);
  #candidateBytes = 0;

  constructor({ trustProxy, log }: ProxyWarningOptions) {
    this.#trustProxy = trustProxy;
    this.#log = log;
  }

  /** What the operator should look at, each a whole text; empty when nothing is known to be wrong. */
  get warnings(): readonly string[] {
    return [...this.#texts.values()];
  }

  /** An announce with X-Forwarded-For was refused because TRUST_PROXY is not set. Said again for fewer entries. */
  refusedForwarded(entryCount: number): void {
    if (entryCount >= this.#fewestEntries) return;
    this.#fewestEntries = entryCount;
    this.#say(
      'refused',
      `Announces are refused: they come through a proxy, and TRUST_PROXY is not set. X-Forwarded-For had ${counted(entryCount)}: set TRUST_PROXY=${entryCount} if that many proxies stand before the tracker, 0 if none does`,
      { forwardedEntries: entryCount },
    );
  }

  /** An announce came from a private address with X-Forwarded-For, and TRUST_PROXY=0 says to ignore that. */
  ignoredForwarded(entryCount: number): void {
    if (this.#texts.has('ignored')) return;
    this.#say(
      'ignored',
      `Announces with X-Forwarded-For come from a private address, but TRUST_PROXY=0 says that no proxy stands before the tracker. X-Forwarded-For had ${counted(entryCount)}: set TRUST_PROXY=${entryCount} if that many proxies do, else all clients seem to be the proxy`,
      { forwardedEntries: entryCount },
    );
  }

  /**
   * An announce carries CF-Ray, so it came through Cloudflare or pretends to. With enough hops the address we
   * found is the one that Cloudflare names.
   *
   * @param address what the hops led to
   * @param named CF-Connecting-IP, where it is an address
   * @param entries those of X-Forwarded-For, from the left, where they are addresses
   */
  heardThroughCdn(
    address: Uint8Array | ClientError,
    named: Uint8Array | undefined,
    entries: readonly (Uint8Array | undefined)[],
  ): void {
    const trustProxy = this.#trustProxy ?? 0;
    if (this.#texts.has('cdn')) return;
    const isRight = !(address instanceof ClientError) && named !== undefined && isSame(address, named);
    if (isRight || (trustProxy > 0 && entries.length <= trustProxy)) return;
    const namedAt = entries.findLastIndex(
      (entry) => entry !== undefined && named !== undefined && isSame(entry, named),
    );
    const hops = Math.max(trustProxy + 1, namedAt < 0 ? 0 : entries.length - namedAt);
    this.#say(
      'cdn',
      `Announces carry CF-Ray, which Cloudflare adds, and TRUST_PROXY=${this.#trustProxy ?? '(not set)'} is too few for that: set TRUST_PROXY=${hops} if Cloudflare stands before the tracker. X-Forwarded-For had ${counted(entries.length)}. If it does not, a client made this header up`,
      { forwardedEntries: entries.length },
    );
  }

  /** An announce was taken as coming from this address (4 or 16 bytes, copied where they are kept). */
  heardFrom(address: Uint8Array): void {
    if (this.#isCandidate(address)) {
      this.#lead += 1;
    } else if (this.#lead > 0) {
      this.#lead -= 1;
    } else {
      for (let at = 0; at < address.length; at++) this.#candidate[at] = address[at];
      this.#candidateBytes = address.length;
      this.#lead = 1;
    }
    this.#heard += 1;
    if (this.#heard < WINDOW_ANNOUNCES) return;
    const leadOfNearlyAll = NEARLY_ALL_ANNOUNCES - (WINDOW_ANNOUNCES - NEARLY_ALL_ANNOUNCES);
    if (this.#lead >= leadOfNearlyAll && !this.#texts.has('one address')) this.#sayOneAddress();
    this.#heard = 0;
    this.#lead = 0;
    this.#candidateBytes = 0;
  }

  #isCandidate(address: Uint8Array): boolean {
    if (address.length !== this.#candidateBytes) return false;
    for (let at = 0; at < address.length; at++) if (address[at] !== this.#candidate[at]) return false;
    return true;
  }

  #sayOneAddress(): void {
    this.#say(
      'one address',
      `Nearly all of the last ${WINDOW_ANNOUNCES} announces came from one address: unless that is your only client, something before the tracker hides the others. Behind a proxy, set TRUST_PROXY to the number of proxies (now ${this.#trustProxy ?? 'not set'}); in Docker, use the host's network or a proxy`,
    );
  }

  #say(kind: string, text: string, fields?: Readonly<Record<string, number>>): void {
    this.#texts.set(kind, text);
    this.#log.warn(text, fields);
  }
}

function counted(entryCount: number): string {
  return entryCount === 1 ? '1 entry' : `${entryCount} entries`;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
