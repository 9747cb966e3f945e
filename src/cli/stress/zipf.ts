/**
 * Zipf's law: rank r is drawn with a weight of 1 / r^exponent, as torrents are popular. Draws by binary search in
 * the running sums: 8 bytes a rank.
 */
export class Zipf {
  readonly #sums: Float64Array;

  constructor(ranks: number, exponent: number) {
    this.#sums = new Float64Array(ranks);
    let sum = 0;
    for (let rank = 0; rank < ranks; rank++) {
      sum += 1 / (rank + 1) ** exponent;
      this.#sums[rank] = sum;
    }
  }

  /** A rank from 0 on. `random` gives uniform 32-bit integers. */
  draw(random: () => number): number {
    const sums = this.#sums;
    const wanted = (random() / 0x1_0000_0000) * sums[sums.length - 1]!;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
