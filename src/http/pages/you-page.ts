/** How /you looks: what the tracker sees of the visitor, a form for his torrent, and what keeps two clients apart. */
import type { SwarmCounts } from '../../tracker/tracker.ts';
import { escapeHtml } from './browser/escape-html.js';
import { count, duration } from './browser/formats.js';
import type { Page } from './page.ts';

/** Where the visitor seems to be: as text, or undefined when that can't be known. */
export interface Visitor {
  readonly address: string | undefined;
  readonly family: 'IPv4' | 'IPv6' | undefined;
  /** Why an announce from here is refused; undefined when it is not. */
  readonly refusal: string | undefined;
}

/** What the pasted text stands for. */
export type Torrent =
  | { readonly kind: 'none' }
  | { readonly kind: 'no hash' }
  | {
      readonly kind: 'torrent';
      readonly infoHash: string;
      /** Why its announces are refused; undefined when they are not. */
      readonly refusal: string | undefined;
      /** undefined when nobody has announced it, or it is refused. */
      readonly swarm: SwarmCounts | undefined;
      /** Whether a link that names trackers names this one; undefined when it names none, or that can't be known. */
      readonly isTrackerNamed: boolean | undefined;
    };

interface Times {
  readonly announceIntervalSeconds: number;
  readonly peerTtlSeconds: number;
}

export function youPage(visitor: Visitor, torrent: Torrent, urls: readonly string[], times: Times): Page {
  const shown = urls.map((url) => `<code>${escapeHtml(url)}</code>`).join(' or ');
  const main = `<h1>What the tracker sees of you</h1>
<section class="card" aria-label="Your address">${address(visitor)}</section>
<p class="note">This is your browser. A client on the same machine announces from the same address, unless it goes through
a proxy or a VPN of its own; over the other family, IPv4 or IPv6, it has another address, and announces under both if it
can. Only you are shown this.</p>
<h2>Look up a torrent</h2>
<form action="/you" method="get" role="search">
<label for="torrent">Magnet link or info hash</label>
<div class="copy-row"><input id="torrent" name="torrent" autocomplete="off" autocapitalize="off" spellcheck="false" required aria-describedby="torrent-hint"> <button class="main">Look it up</button></div>
<p class="note" id="torrent-hint">40 hex characters, 32 of base32, or a link that begins with <code>magnet:?</code></p>
</form>
${found(torrent, times)}
<h2>When two clients do not meet</h2>
<ol class="checks">
<li><strong>Both name this tracker${shown === '' ? '' : `, ${shown}`}, and the same info hash.</strong>
A torrent made again from the same files has another hash.</li>
<li><strong>Who came first hears of the other later.</strong> Clients announce every ${duration(times.announceIntervalSeconds)};
the second learns of the first at once, the first of the second at its next announce. Most clients have a command to
announce now.</li>
<li><strong>Two who have everything are not told of each other.</strong> Neither has anything to get.</li>
<li><strong>At least one of them can be reached from outside.</strong> Its port has to be open in its router and firewall.
Behind one router both have the same address here: let them find each other by local peer discovery.</li>
<li><strong>They have a family in common.</strong> A client with IPv4 only can’t connect to one with IPv6 only.</li>
<li><strong>Neither was refused.</strong> What a client shows as the tracker’s message is the reason, in the words used
above.</li>
</ol>`;
  return { title: 'What the tracker sees of you · Trakx', main, isUnlisted: true };
}

function address({ address, family, refusal }: Visitor): string {
  const seen =
    address === undefined
      ? '<p class="address">unknown</p>'
      : `<p class="address"><code>${escapeHtml(address)}</code> <span class="tag">${family}</span></p>`;
  return refusal === undefined
    ? `${seen}<p class="verdict verdict-good">An announce from here is taken, and recorded under this address.</p>`
    : `${seen}<p class="verdict verdict-bad">An announce from here is refused: “${escapeHtml(refusal)}”.</p>${explained(address)}`;
}

function explained(address: string | undefined): string {
  return address === undefined
    ? '<p>The proxies before this tracker are not as its operator has counted them. Only he can mend that, with <code>TRUST_PROXY</code>.</p>'
    : '<p>No peer on the internet could reach this address. Either you are in the tracker’s own network, or a proxy before it was not counted by its operator.</p>';
}

function found(torrent: Torrent, times: Times): string {
  if (torrent.kind === 'none') return '';
  if (torrent.kind === 'no hash') {
    return '<p class="warning" role="alert">There is no info hash in that. Allowed are 40 hex characters, 32 of base32, and magnet links with <code>xt=urn:btih:</code>.</p>';
  }
  const { infoHash, refusal, swarm, isTrackerNamed } = torrent;
  const parts = [`<p class="address"><code>${infoHash}</code></p>`];
  if (refusal !== undefined) {
    parts.push(
      `<p class="verdict verdict-bad">Announces of this torrent are refused: “${escapeHtml(refusal)}”.</p>`,
    );
  } else if (swarm === undefined) {
    parts.push(
      `<p class="verdict">This torrent is served, and nobody has announced it here within the last ${duration(times.peerTtlSeconds)}.</p>`,
    );
  } else {
    parts.push(
      '<p class="verdict verdict-good">This torrent is served.</p>',
      figures([
        ['Seeders', swarm.seeders],
        ['Leechers', swarm.leechers],
        ['Of these, partial seeds', swarm.partialSeeds],
        ['Downloads completed', swarm.completed],
      ]),
    );
  }
  if (isTrackerNamed === false) {
    parts.push('<p class="verdict verdict-bad">The link names trackers, and this one is not among them.</p>');
  }
  return `<section class="card" aria-label="The torrent">${parts.join('\n')}</section>`;
}

function figures(entries: readonly (readonly [name: string, amount: number])[]): string {
  const items = entries.map(([name, amount]) => `<div><dt>${name}</dt><dd>${count(amount)}</dd></div>`);
  return `<dl class="figures">${items.join('')}</dl>`;
}
