/**
 * Whether other trackers write to the same store. For ten minutes after one was seen its sightings may still be on their
 * way, and it may well be heard again: so long this tracker keeps pace with it, and remembers who has stopped.
 */

export const COMPANY_SECONDS = 600;

export class Company {
  #seenSeconds = Number.NEGATIVE_INFINITY;

  /** Another tracker has written something, or may be about to. */
  wasSeen(nowSeconds: number): void {
    this.#seenSeconds = nowSeconds;
  }

  isThere(nowSeconds: number): boolean {
    return nowSeconds - this.#seenSeconds <= COMPANY_SECONDS;
  }
}
