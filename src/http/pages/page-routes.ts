/**
 * The pages for people that hold no figures: / with the announce URLs to copy, /dmca with the way to a takedown,
 * and /robots.txt, which keeps announces, scrapes and the admin API out of indexes.
 */
import { Router } from 'express';
import { readOnly, send } from '../web-reply.ts';
import { type AnnounceUrlSettings, announceUrls } from './announce-url.ts';
import { escapeHtml } from './browser/escape-html.js';
import type { PageFrame } from './page.ts';

export interface PageSettings extends AnnounceUrlSettings {
  readonly contactEmail: string | undefined;
  readonly peerTtlSeconds: number;
}

const ROBOTS = `User-agent: *
Disallow: /announce
Disallow: /scrape
Disallow: /admin
Disallow: /you
`;

export function pageRoutes(frame: PageFrame, settings: PageSettings): Router {
  const router = Router({ caseSensitive: true });
  readOnly(router, '/', (request, response) => {
    frame.send(response, {
      title: 'Trakx, a BitTorrent tracker',
      scripts: ['copy-buttons.js'],
      main: landingPage(announceUrls(request.headers, settings), settings.peerTtlSeconds),
    });
  });
  readOnly(router, '/dmca', (_request, response) => {
    frame.send(response, { title: 'Takedowns · Trakx', main: takedownPage(settings.contactEmail) });
  });
  readOnly(router, '/robots.txt', (_request, response) => {
    send(response, 200, 'text/plain; charset=utf-8', ROBOTS, { 'Cache-Control': 'max-age=86400' });
  });
  return router;
}

function landingPage(urls: readonly string[], peerTtlSeconds: number): string {
  const isOne = urls.length < 2;
  const rows = urls.map((url) => `<div class="copy-row"><code class="copy">${escapeHtml(url)}</code></div>`);
  if (urls.length === 0) {
    rows.push(
      '<p>This tracker does not know the address under which you reach it. Its announce URL is that address followed by <code>/announce</code>.</p>',
    );
  }
  if (!isOne) {
    rows.push(
      '<p class="note">Both lead to the same peers. The second is for clients that cannot do HTTPS.</p>',
    );
  }
  return `<h1>The announce ${isOne ? 'URL' : 'URLs'} of this tracker</h1>
${rows.join('\n')}
<p>Put ${isOne ? 'it' : 'one of them'} into the tracker list of a torrent. Clients that announce there are told about each other. When two of yours do
not meet, <a href="/you">look at what the tracker sees of you</a>; <a href="/stats">the statistics</a> show who else is here,
in numbers.</p>
<h2>What is kept of you</h2>
<p>While your client takes part: the torrent’s info hash, your address and port, your client’s peer id, and whether
you have everything. The entry is dropped ${Math.round(peerTtlSeconds / 60)} minutes after the last announce. Saved
copies, made so that a restart forgets nobody, go as newer ones replace them. No log holds an address, and
no page shows one but <a href="/you">yours to you</a>.</p>`;
}

function takedownPage(contactEmail: string | undefined): string {
  const contact =
    contactEmail === undefined
      ? '<p>The operator of this tracker has given no address for such requests. The host that this name belongs to can reach him.</p>'
      : `<p>Write to <a href="mailto:${escapeHtml(encodeURI(contactEmail))}">${escapeHtml(contactEmail)}</a>.</p>`;
  return `<h1>Asking for a takedown</h1>
<p>This tracker holds no files, no torrents, and no names of files. It knows torrents by their info hash only: 40 hex
characters, in a magnet link after <code>urn:btih:</code>. The operator can ban an info hash; the tracker then forgets
its peers at once and answers no further announce for it.</p>
<h2>How</h2>
${contact}
<p>Such a request should say:</p>
<ul>
<li>the info hash of each torrent, 40 hex characters each;</li>
<li>which work it concerns and by what right you ask;</li>
<li>how to reach you.</li>
</ul>`;
}
