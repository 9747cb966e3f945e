/**
 * The objects of a later version that were met, wherever in the store: as long as this process knows of one, nothing
 * that others may need is deleted (rule D-O4). One for all who read the store, so that each heeds what any has seen.
 */
export class NewerObjects {
  readonly #names = new Set<string>();

  get hasAny(): boolean {
    return this.#names.size > 0;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Notes the key of an object or the folder of a snapshot; false when it was known. */
  add(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    return true;
  }
}
