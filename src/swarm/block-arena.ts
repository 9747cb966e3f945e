/**
 * Memory for blocks of records: one reserved stretch of 64 KiB pages, each page cut into blocks of one size
 * class.
 *
 *   page     | block | block | block |  …  rest |     16,384 words, all blocks of one class
 *   block    | owner | counts | payload words … |     `owner` and `counts` are the caller's
 *
 * Within a class all blocks lie side by side without holes: a block that is freed is filled by the class's last
 * one (swap with last), and a page that empties goes back for any class to use. So memory in use follows the
 * blocks in use, however sizes come and go. The caller learns which block moved and finds by its owner word
 * who must hear of it.
 *
 * A reference is the index of the block's first word; 0 is none (page 0 is never given out).
 */

export const PAGE_WORDS = 16_384;
/** Words of a block before its payload: the owner and the counts. */
export const BLOCK_HEADER_WORDS = 2;

const PAGE_SHIFT = 14;
const LOOP_BYTES_MAX = 256;

export class BlockArena {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly pagesMax: number;
  /** Pages that hold blocks. */
  pagesInUse = 0;
  /** Blocks ever given out, by class: tests count that each class occurred. */
  readonly allocations: Uint32Array;

  readonly #blockWords: Uint32Array;
  readonly #blocksPerPage: Uint32Array;
  /** Of each class its last page (0: none) and the blocks in it; earlier pages are full. */
  readonly #lastPage: Uint32Array;
  readonly #lastCount: Uint32Array;
  readonly #pageClass: Uint8Array;
  /** Of each page in use the class's page before it; of each freed page the next freed one. */
  readonly #pageLink: Uint32Array;
  #freePage = 0;
  #pagesTouched = 1;

  /**
   * `blockWords` gives each class's whole size in words, header included, at most a page.
   * Throws a RangeError when the memory cannot be reserved.
   */
  constructor(bytesMax: number, blockWords: readonly number[]) {
    this.pagesMax = Math.max(2, Math.floor(bytesMax / (PAGE_WORDS * 4)));
    const buffer = new SharedArrayBuffer(this.pagesMax * PAGE_WORDS * 4);
    this.words = new Uint32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.allocations = new Uint32Array(blockWords.length);
    this.#blockWords = Uint32Array.from(blockWords);
    this.#blocksPerPage = this.#blockWords.map((size) => Math.floor(PAGE_WORDS / size));
    this.#lastPage = new Uint32Array(blockWords.length);
    this.#lastCount = new Uint32Array(blockWords.length);
    this.#pageClass = new Uint8Array(this.pagesMax);
    this.#pageLink = new Uint32Array(this.pagesMax);
  }

  get pagesFree(): number {
    return this.pagesMax - 1 - this.pagesInUse;
  }

  classOf(ref: number): number {
    return this.#pageClass[ref >>> PAGE_SHIFT];
  }

  /** A block of the class with its two header words zero and its payload undefined, or 0 when memory is out. */
  allocate(sizeClass: number): number {
    if (this.#lastPage[sizeClass] === 0 || this.#lastCount[sizeClass] === this.#blocksPerPage[sizeClass]) {
      const page = this.#takePage();
      if (page === 0) return 0;
      this.#pageClass[page] = sizeClass;
      this.#pageLink[page] = this.#lastPage[sizeClass];
      this.#lastPage[sizeClass] = page;
      this.#lastCount[sizeClass] = 0;
    }
    const ref = this.#refOf(sizeClass, this.#lastPage[sizeClass], this.#lastCount[sizeClass]);
    this.#lastCount[sizeClass] += 1;
    this.allocations[sizeClass] += 1;
    this.words[ref] = 0;
    this.words[ref + 1] = 0;
    return ref;
  }

  /**
   * Frees a block. Returns the reference that the block which now lies there had before, or 0 when nothing
   * moved; whoever holds that reference must be told at once.
   */
  free(ref: number): number {
    const sizeClass = this.classOf(ref);
    const page = this.#lastPage[sizeClass];
    const last = this.#refOf(sizeClass, page, this.#lastCount[sizeClass] - 1);
    if (last !== ref) this.words.copyWithin(ref, last, last + this.#blockWords[sizeClass]);
    this.#lastCount[sizeClass] -= 1;
    if (this.#lastCount[sizeClass] === 0) {
      const before = this.#pageLink[page];
      this.#lastPage[sizeClass] = before;
      this.#lastCount[sizeClass] = before === 0 ? 0 : this.#blocksPerPage[sizeClass];
      this.#pageLink[page] = this.#freePage;
      this.#freePage = page;
      this.pagesInUse -= 1;
    }
    return last === ref ? 0 : last;
  }

  /** Copies bytes from `at` on to the words from `first` to before `end`. */
  copyIn(from: Uint8Array, at: number, first: number, end: number): void {
    const { bytes } = this;
    const count = (end - first) * 4;
    // A loop: for so few bytes a view of them would cost more.
    if (count > LOOP_BYTES_MAX) bytes.set(from.subarray(at, at + count), first * 4);
    else for (let index = 0, to = first * 4; index < count; index++) bytes[to + index] = from[at + index];
  }

  #refOf(sizeClass: number, page: number, index: number): number {
    return page * PAGE_WORDS + index * this.#blockWords[sizeClass];
  }

  #takePage(): number {
    let page = this.#freePage;
    if (page !== 0) {
      this.#freePage = this.#pageLink[page];
    } else {
      if (this.#pagesTouched === this.pagesMax) return 0;
      page = this.#pagesTouched;
      this.#pagesTouched += 1;
    }
    this.pagesInUse += 1;
    return page;
  }
}
