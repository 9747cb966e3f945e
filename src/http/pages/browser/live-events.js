/**
 * The tracker's statistics as they change, over server-sent events, for as long as the page is open. A connection that
 * fails, is refused, or stays silent is given up and tried anew after a pause that doubles from a second to half a minute,
 * spread so that many pages do not come back in one instant; a tracker that restarts is found again within that. (An
 * EventSource by itself would never come back from a refusal, and wait for ever on a line that is dead.)
 */

const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 30_000;
/** The tracker sends figures every two seconds. */
const SILENCE_MS_MAX = 15_000;

export class LiveEvents {
  #address;
  #listeners;
  #onState;
  /** @type {EventSource | undefined} */
  #source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #pauseMs = PAUSE_MS_MIN;

  /**
   * @param {string} address
   * @param {Readonly<Record<string, (data: any) => void>>} listeners what to do with an event's document, by its name
   * @param {(state: 'live' | 'reconnecting') => void} onState called when it changes
   */
  constructor(address, listeners, onState) {
    this.#address = address;
    this.#listeners = listeners;
    this.#onState = onState;
  }

  open() {
    this.close();
    const source = new EventSource(this.#address);
    this.#source = source;
    source.onerror = () => this.#retry();
    for (const [name, listener] of Object.entries(this.#listeners)) {
      source.addEventListener(name, (event) => {
        this.#pauseMs = PAUSE_MS_MIN;
        this.#onState('live');
        this.#watch();
        listener(JSON.parse(event.data));
      });
    }
    this.#watch();
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #watch() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#retry(), SILENCE_MS_MAX);
  }

  #retry() {
    this.close();
    this.#onState('reconnecting');
    this.#timer = setTimeout(() => this.open(), this.#pauseMs * (0.75 + Math.random() / 2));
    this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
  }
}
