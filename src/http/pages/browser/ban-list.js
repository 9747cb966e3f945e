/** The list of bans on the admin page: pages of what a search finds, and a button that lifts each. */
import { element } from './element.js';
import { count, minuteText } from './formats.js';

export class BanList {
  #client;
  #rows = element('#bans', HTMLElement);
  #status = element('#bans-status', HTMLElement);
  #more = element('#more-bans', HTMLButtonElement);
  #search = '';
  /** @type {string | null} */
  #next = null;
  /** Of the search that was asked for last: answers to older ones come too late. */
  #asked = 0;

  /** @param {import('./admin-client.js').AdminClient} client */
  constructor(client) {
    this.#client = client;
    this.#more.addEventListener('click', () => this.#load());
  }

  /** @param {string} search */
  async show(search) {
    this.#search = search;
    this.#next = '0';
    this.#rows.replaceChildren();
    await this.#load();
  }

  async #load() {
    this.#asked += 1;
    const asked = this.#asked;
    const query = new URLSearchParams({ limit: '50', cursor: this.#next ?? '0', search: this.#search });
    const { status, body } = await this.#client.ask('GET', `bans?${query}`);
    if (asked !== this.#asked) return;
    if (status !== 200) {
      this.#status.textContent = body.error;
      return;
    }
    this.#next = body.next;
    for (const ban of body.bans) this.#rows.append(this.#row(ban.infoHash, ban.reason, ban.changedAt));
    for (const infoHash of body.byEnvironment ?? [])
      this.#rows.append(this.#row(infoHash, 'BANNED_HASHES', undefined));
    this.#more.hidden = body.next === null;
    this.#tell(body.count);
  }

  /** @param {number} total on the list, which those of the environment are not */
  #tell(total) {
    const ofEnvironment = this.#rows.querySelectorAll('[data-by-environment]').length;
    const listed = this.#rows.childElementCount - ofEnvironment;
    const found = this.#next === null ? `${listed}` : `the first ${listed}`;
    const all = count(total);
    const more = ofEnvironment === 0 ? '' : `, and ${ofEnvironment} of BANNED_HASHES`;
    this.#status.textContent =
      this.#search === ''
        ? `Showing ${found} of ${all} bans${more}.`
        : `Found ${found} in ${all} bans${more}.`;
  }

  /**
   * @param {string} infoHash
   * @param {string} reason
   * @param {string | undefined} changedAt undefined for one that only a new start lifts
   */
  #row(infoHash, reason, changedAt) {
    const row = document.createElement('li');
    const about = document.createElement('span');
    about.className = 'note';
    const since = changedAt === undefined ? '' : minuteText(changedAt);
    about.textContent = [since, reason].filter((part) => part !== '').join(' · ');
    row.append(Object.assign(document.createElement('code'), { textContent: infoHash }), about);
    if (changedAt === undefined) row.dataset.byEnvironment = '';
    else row.append(this.#removeButton(infoHash, row));
    return row;
  }

  /**
   * @param {string} infoHash
   * @param {HTMLElement} row
   */
  #removeButton(infoHash, row) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Lift';
    button.setAttribute('aria-label', `Lift the ban of ${infoHash}`);
    button.addEventListener('click', async () => {
      button.disabled = true;
      const { status, body } = await this.#client.ask('DELETE', `bans/${infoHash}`);
      button.disabled = false;
      if (status === 200 || status === 404) {
        row.remove();
        this.#status.textContent = `The ban of ${infoHash} is lifted.`;
        this.#status.tabIndex = -1;
        this.#status.focus(); // the button that had it is gone
      } else {
        this.#status.textContent = body.error;
      }
    });
    return button;
  }
}
