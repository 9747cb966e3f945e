/**
 * The statistics as they change, for pages that stay open (server-sent events, WHATWG HTML §9.2): every two seconds an
 * event `stats` with the live report, each minute an event `point` with the history's newest point.
 *
 * The report is made once for all listeners, and only while somebody listens. A listener who does not read is cut off
 * before much has piled up for him; there are at most LISTENERS_MAX, and of one client LISTENERS_PER_CLIENT_MAX, so that
 * no stranger takes every place. Routers cut a connection that is silent for 55 seconds: this one is silent for two, and
 * says a word that means nothing should there ever be no report. `end` lets everybody go at once, so that a shutdown need
 * not wait for them: browsers come back by themselves, to the next process.
 */
import type { ServerResponse } from 'node:http';
import type { HistoryPointDocument } from '../../stats/history.ts';

const LISTENERS_MAX = 100;
/** A household's browsers, with the page open in a few tabs. */
export const LISTENERS_PER_CLIENT_MAX = 8;
const RETRY_MS = 5_000;
const REPORT_MS = 2_000;
/** A comment goes out with each such report, about every 24 seconds. */
const REPORTS_PER_COMMENT = 12;
/** Some twenty reports. */
const UNREAD_BYTES_MAX = 128 * 1024;

export interface LiveEventsOptions {
  /** The report of this moment, as it becomes JSON. */
  readonly report: () => object;
  readonly listenersMax?: number;
  readonly listenersPerClientMax?: number;
  readonly reportMs?: number;
  readonly unreadBytesMax?: number;
}

export class LiveEvents {
  readonly #options: LiveEventsOptions;
  /** With the number of who listens, undefined where that is not known. */
  readonly #listeners = new Map<ServerResponse, number | undefined>();
  #timer: NodeJS.Timeout | undefined;
  #lastReport = '';
  #reports = 0;
  #hasEnded = false;

  constructor(options: LiveEventsOptions) {
    this.#options = options;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Whether one more may listen. */
  get hasRoom(): boolean {
    return !this.#hasEnded && this.#listeners.size < (this.#options.listenersMax ?? LISTENERS_MAX);
  }

  /** Whether this client may listen once more; one that is not known shares the places of all. */
  hasRoomFor(client: number | undefined): boolean {
    if (client === undefined) return true;
    let places = this.#options.listenersPerClientMax ?? LISTENERS_PER_CLIENT_MAX;
    for (const listening of this.#listeners.values()) if (listening === client) places -= 1;
    return places > 0;
  }

  /** Begins to send events behind a head that was written; the first report at once. */
  add(response: ServerResponse, client: number | undefined): void {
    this.#listeners.set(response, client);
    response.once('close', () => this.#forget(response));
    if (this.#timer === undefined) {
      this.#makeReport();
      this.#timer = setInterval(() => this.#sendReport(), this.#options.reportMs ?? REPORT_MS);
    }
    response.write(`retry: ${RETRY_MS}\n\n${this.#lastReport}`);
  }

  /** A minute has ended. */
  sendPoint(point: HistoryPointDocument): void {
    if (this.#listeners.size > 0) this.#send(event('point', point));
  }

  /** Lets all listeners go, and takes none from now on. */
  end(): void {
    this.#hasEnded = true;
    for (const response of this.#listeners.keys()) response.end();
  }

  #makeReport(): void {
    this.#lastReport = event('stats', this.#options.report());
  }

  #sendReport(): void {
    this.#makeReport();
    this.#reports += 1;
    const isCommentDue = this.#reports % REPORTS_PER_COMMENT === 0;
    this.#send(isCommentDue ? `: still here\n\n${this.#lastReport}` : this.#lastReport);
  }

  #send(text: string): void {
    const { unreadBytesMax = UNREAD_BYTES_MAX } = this.#options;
    const bytes = Buffer.from(text);
    for (const response of this.#listeners.keys()) {
      if (response.writableLength > unreadBytesMax) response.destroy();
      else if (!response.writableEnded) response.write(bytes);
    }
  }

  #forget(response: ServerResponse): void {
    this.#listeners.delete(response);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** JSON has no line ends of its own, so one `data` line holds it. */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
