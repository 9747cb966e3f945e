/**
 * The page for people at /admin/: takedown requests, the status, one swarm, the list of bans. It holds nothing that is
 * not public: all comes by its script (browser/admin-page.js) over the API, with the token that the visitor types in.
 * Without scripts it says so, for nothing may send the token in an address.
 */
import { type RequestHandler, Router } from 'express';
import { REASON_BYTES_MAX } from '../../persistence/format/access-object.ts';
import { type AnnounceUrlSettings, announceUrls } from '../pages/announce-url.ts';
import { escapeHtml } from '../pages/browser/escape-html.js';
import type { PageFrame } from '../pages/page.ts';
import { readOnly } from '../web-reply.ts';

export function adminPageRoutes(frame: PageFrame, settings: AnnounceUrlSettings): Router {
  const router = Router({ caseSensitive: true, strict: true });
  readOnly(router, '/admin/', (request, response) => {
    frame.send(response, {
      title: 'Administration · Trakx',
      main: adminPage(announceUrls(request.headers, settings)[0]),
      scripts: ['admin-page.js'],
      isUnlisted: true,
    });
  });
  const redirect: RequestHandler = (request, response, next) => {
    // Whoever asks with a token is a program, and is told that there is no such path.
    if (request.headers.authorization !== undefined) return next();
    response.writeHead(308, { Location: '/admin/', 'Content-Length': 0, 'Cache-Control': 'no-store' }).end();
  };
  readOnly(router, '/admin', redirect);
  return router;
}

function adminPage(url: string | undefined): string {
  return `<h1>Administration</h1>
<noscript><p class="warning">This page works with scripts only. The same can be done over the API:
<a href="/admin/openapi.json">its description</a>.</p></noscript>
<p id="notice" class="warning" role="alert" hidden></p>

<form id="sign-in" hidden>
<p>The token is the <code>ADMIN_TOKEN</code> that the tracker was started with. It is kept until this tab is closed.</p>
<label for="token">Admin token</label>
<input id="token" type="password" autocomplete="current-password" required>
<p><button class="main">Sign in</button></p>
</form>

<div id="work" data-tracker="${escapeHtml(url ?? '')}" hidden>
<section aria-labelledby="takedown-title">
<h2 id="takedown-title">Takedown</h2>
<form id="takedown">
<label for="hashes">Info hashes or magnet links, one a line</label>
<textarea id="hashes" class="hashes" rows="10" spellcheck="false" autocomplete="off" required
 aria-describedby="hashes-note"></textarea>
<p id="hashes-note" class="note">Thousands at once are fine. Lines that hold no info hash are left out and named in the receipt.</p>
<label for="reason">Reason, which stands in the receipt</label>
<input id="reason" type="text" maxlength="${REASON_BYTES_MAX}" data-bytes-max="${REASON_BYTES_MAX}" autocomplete="off"
 aria-describedby="reason-note">
<p id="reason-note" class="note">A case number, say: the receipt goes to whoever asked. Elsewhere it is shown to nobody without the token.</p>
<p><button class="main" id="ban">Ban</button></p>
<p><progress id="progress" max="1" value="0" aria-label="Lines done" hidden></progress>
<span id="takedown-status" role="status"></span></p>
</form>
<div id="receipt-part" hidden>
<h3 id="receipt-title">Receipt</h3>
<p class="note">For whoever asked. The reason stands in it.</p>
<pre id="receipt" class="receipt" tabindex="0" role="region" aria-labelledby="receipt-title"></pre>
<p class="buttons"><button type="button" id="copy-receipt">Copy</button>
<button type="button" id="download-receipt">Download</button>
<span id="receipt-status" role="status"></span></p>
</div>
</section>

<section aria-labelledby="status-title">
<h2 id="status-title">Status</h2>
<dl class="figures" id="status"></dl>
<p class="buttons"><button type="button" id="snapshot">Save a snapshot now</button>
<button type="button" id="sign-out">Sign out</button> <span id="snapshot-status" role="status"></span></p>
</section>

<section aria-labelledby="swarm-title">
<h2 id="swarm-title">One swarm</h2>
<form id="look-up">
<label for="torrent">Info hash or magnet link</label>
<div class="search-row"><input id="torrent" type="text" maxlength="2000" autocomplete="off" spellcheck="false" required>
<button>Look up</button></div>
</form>
<p id="swarm-found" class="found" role="status"></p>
<p><button type="button" id="drop-swarm" hidden>Forget its peers and its count</button></p>
</section>

<section aria-labelledby="bans-title">
<h2 id="bans-title">Bans</h2>
<form id="search-bans" role="search">
<label for="search">Hash, its beginning, or words of the reason</label>
<div class="search-row"><input id="search" type="search" maxlength="2000" autocomplete="off"><button>Search</button></div>
</form>
<p id="bans-status" role="status"></p>
<ul class="bans" id="bans"></ul>
<p><button type="button" id="more-bans" hidden>Show more</button></p>
</section>
</div>`;
}
