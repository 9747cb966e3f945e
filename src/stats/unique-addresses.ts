/**
 * How many different addresses announced within the last window, without keeping one of them: HyperLogLog
 * (Flajolet, Fusy, Gandouet, Meunier 2007) over 64-bit hashes (Heule, Nunkesser, Hall 2013, so that no
 * correction for large counts is needed), counted by Ertl's estimator (2017, "New cardinality estimation
 * algorithms for HyperLogLog sketches", algorithm 6), which needs no table of measured biases.
 *
 *   sketches   0        1        2               11       12
 *              [16384]  [16384]  [16384]   …     [16384]  [16384]   one byte a register: the longest run of zeros
 *              ├── window / 12 ──┤               the newest slice of time takes the place of the oldest
 *
 * With 2^14 registers the standard error is 1.04 / √16384 = 0.81 %. The window slides in twelfths: what is counted
 * is between one window and one window and a twelfth. Memory: 13 × 16 KiB = 208 KiB, whatever is counted.
 */

const PRECISION_BITS = 14;
const REGISTERS = 1 << PRECISION_BITS;
/** Bits of the 64-bit hash that are left for the run of zeros, plus one. */
const RANK_MAX = 64 - PRECISION_BITS + 1;
const SLICES = 12;

/** The standard deviation of the count, as a fraction of it. */
export const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);

export interface UniqueAddressesOptions {
  readonly windowSeconds: number;
  readonly hashKey: readonly [number, number];
}

export class UniqueAddresses {
  readonly #sliceSeconds: number;
  readonly #key0: number;
  readonly #key1: number;
  readonly #sketches = new Uint8Array((SLICES + 1) * REGISTERS);
  /** The slice of time that is being written, counted from the epoch. */
  #slice = 0;
  #isChanged = false;
  #count = 0;
  #countedAt = -1;

  constructor(options: UniqueAddressesOptions) {
    this.#sliceSeconds = options.windowSeconds / SLICES;
    this.#key0 = options.hashKey[0] | 0;
    this.#key1 = options.hashKey[1] | 0;
  }

  /** Notes that this address (4 or 16 bytes) was heard. `now`: seconds since the epoch. */
  add(address: Uint8Array, now: number): void {
    this.#turnTo(now);
    let low = this.#key0;
    let high = this.#key1;
    for (let at = 0; at < address.length; at += 4) {
      const word =
        (address[at]! << 24) | (address[at + 1]! << 16) | (address[at + 2]! << 8) | address[at + 3]!;
      low = mixed(low ^ word);
      high = mixed(high + Math.imul(word, 0x9e3779b1) + low);
    }
    // The first 14 bits choose the register; the rank is the run of zeros in the 50 bits after them, plus one.
    const rest = high << PRECISION_BITS;
    const rank = rest === 0 ? 32 - PRECISION_BITS + Math.clz32(low) + 1 : Math.clz32(rest) + 1;
    const register = (this.#slice % (SLICES + 1)) * REGISTERS + (high >>> (32 - PRECISION_BITS));
    if (rank > this.#sketches[register]!) {
      this.#sketches[register] = rank;
      this.#isChanged = true;
    }
  }

  /**
   * The estimate for the window that ends at `now`, a whole number. Merging the sketches takes a millisecond, so it
   * is done at most once a second.
   */
  count(now: number): number {
    this.#turnTo(now);
    if (this.#isChanged && now !== this.#countedAt) {
      this.#count = Math.round(estimate(this.#rankCounts()));
      this.#isChanged = false;
      this.#countedAt = now;
    }
    return this.#count;
  }

  /** Clears the slices that time has passed over; a clock that was set back goes on writing where it was. */
  #turnTo(now: number): void {
    const slice = Math.floor(now / this.#sliceSeconds);
    if (slice <= this.#slice) return;
    const passed = Math.min(slice - this.#slice, SLICES + 1);
    for (let step = 1; step <= passed; step += 1) {
      const sketch = (slice - passed + step) % (SLICES + 1);
      this.#sketches.fill(0, sketch * REGISTERS, (sketch + 1) * REGISTERS);
    }
    this.#slice = slice;
    this.#isChanged = true;
  }

  /** How many registers of the merged sketches hold each rank. */
  #rankCounts(): Uint32Array {
    const counts = new Uint32Array(RANK_MAX + 1);
    for (let register = 0; register < REGISTERS; register += 1) {
      let rank = 0;
      for (let at = register; at < this.#sketches.length; at += REGISTERS) {
        if (this.#sketches[at]! > rank) rank = this.#sketches[at]!;
      }
      counts[rank]! += 1;
    }
    return counts;
  }
}

/** MurmurHash3's finaliser: every bit of the word moves every bit of the result. */
function mixed(word: number): number {
  let value = word;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/** Ertl 2017, algorithm 6, for q = 50 bits of rank and m = 2^14 registers. */
function estimate(counts: Uint32Array): number {
  const rankBits = RANK_MAX - 1;
  let sum = REGISTERS * tau(1 - counts[RANK_MAX]! / REGISTERS);
  for (let rank = rankBits; rank >= 1; rank -= 1) sum = 0.5 * (sum + counts[rank]!);
  sum += REGISTERS * sigma(counts[0]! / REGISTERS);
  return (REGISTERS * REGISTERS) / (2 * Math.LN2 * sum);
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let power = share;
  let weight = 1;
  let sum = share;
  for (let previous = -1; previous !== sum; ) {
    previous = sum;
    power *= power;
    sum += power * weight;
    weight += weight;
  }
  return sum;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let weight = 1;
  let sum = 1 - share;
  for (let previous = -1; previous !== sum; ) {
    previous = sum;
    root = Math.sqrt(root);
    weight *= 0.5;
    sum -= (1 - root) ** 2 * weight;
  }
  return sum / 3;
}
