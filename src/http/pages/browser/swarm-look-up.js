/** One swarm on the admin page: its counts, whether it is served and why not, and a button that drops its peers. */
import { element } from './element.js';
import { count, counted } from './formats.js';

const NO_HASH = 'That is no info hash, and no magnet link with one.';

export class SwarmLookUp {
  #client;
  #found = element('#swarm-found', HTMLElement);
  #drop = element('#drop-swarm', HTMLButtonElement);
  #infoHash = '';

  /** @param {import('./admin-client.js').AdminClient} client */
  constructor(client) {
    this.#client = client;
    this.#drop.addEventListener('click', () => this.#dropIt());
  }

  /** @param {string} torrent a hash in any form, or a magnet link */
  async show(torrent) {
    const { status, body } = await this.#client.ask('GET', `swarms/${encodeURIComponent(torrent)}`);
    const hasPeers = status === 200 && body.seeders + body.leechers > 0;
    this.#drop.hidden = !hasPeers;
    this.#found.textContent = status === 200 ? describe(body) : status === 400 ? NO_HASH : body.error;
    if (status === 200) this.#infoHash = body.infoHash;
  }

  async #dropIt() {
    const { status, body } = await this.#client.ask('DELETE', `swarms/${this.#infoHash}`);
    this.#drop.hidden = status === 200;
    this.#found.textContent =
      status === 200
        ? `${people(body.peers)} of ${this.#infoHash} forgotten. Who announces again is a peer again.`
        : body.error;
    this.#found.tabIndex = -1;
    this.#found.focus(); // the button that had it may be gone
  }
}

/** @param {Record<string, any>} swarm */
function describe({ infoHash, isKnown, seeders, leechers, completed, isServed, clientsAreTold, ban }) {
  const reason = ban !== null && ban.reason !== '' ? ` (${ban.reason})` : '';
  const served = isServed ? 'It is served.' : `It is refused: ${clientsAreTold}${reason}.`;
  const counts = isKnown
    ? `${people(seeders + leechers)}, ${count(seeders)} of them seeding; ${count(completed)} completed downloads.`
    : 'Nobody is there.';
  return `${infoHash}: ${counts} ${served}`;
}

/** @param {number} peers */
function people(peers) {
  return counted(peers, 'peer', 'peers');
}
