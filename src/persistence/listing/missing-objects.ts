/**
 * Objects that a listing named and that were not there when they were asked for. Most likely another tracker has just
 * deleted them, and the next listing will not name them; what several listings named will not come.
 */
const LISTINGS_MAX = 3;

export class MissingObjects {
  readonly #listings = new Map<string, number>();

  /** Notes one more listing that named it; true when there were enough to give it up. */
  note(key: string): boolean {
    const listings = (this.#listings.get(key) ?? 0) + 1;
    this.#listings.set(key, listings);
    return listings >= LISTINGS_MAX;
  }

  forget(key: string): void {
    this.#listings.delete(key);
  }
}
