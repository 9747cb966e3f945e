import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { STANDARD_ERROR, UniqueAddresses } from '../../src/stats/unique-addresses.ts';

const WINDOW = 3_600;

function sketch(hashKey: readonly [number, number] = [0x243f6a88, 0x85a308d3]): UniqueAddresses {
  return new UniqueAddresses({ windowSeconds: WINDOW, hashKey });
}

/** Adds the addresses numbered from … to (exclusive): consecutive ones, the hardest for a weak hash. */
function addIpv4(addresses: UniqueAddresses, from: number, to: number, now: number): void {
  const address = new Uint8Array(4);
  const view = new DataView(address.buffer);
  for (let number = from; number < to; number += 1) {
    view.setUint32(0, number);
    addresses.add(address, now);
  }
}

describe('the count of unique addresses', () => {
  test('states its error: 0.81 %', () => {
    assert.equal(STANDARD_ERROR.toFixed(4), '0.0081');
  });

  test('is 0 for none and exact for a few', () => {
    const addresses = sketch();
    assert.equal(addresses.count(WINDOW), 0);
    addIpv4(addresses, 0, 25, WINDOW);
    assert.equal(addresses.count(WINDOW + 1), 25);
  });

  for (const count of [500, 10_000, 40_000, 80_000, 500_000, 3_000_000]) {
    test(`is within four standard errors for ${count}`, () => {
      const addresses = sketch();
      addIpv4(addresses, 0, count, WINDOW);
      const error = addresses.count(WINDOW) / count - 1;
      assert.ok(Math.abs(error) < 4 * STANDARD_ERROR, `${(error * 100).toFixed(2)} %`);
    });
  }

  test('errs as stated over many keys: the root mean square is near one standard error', () => {
    const count = 50_000;
    const trials = 40;
    let squares = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const addresses = sketch([trial * 7_919, trial * 104_729 + 1]);
      addIpv4(addresses, 0, count, WINDOW);
      squares += (addresses.count(WINDOW) / count - 1) ** 2;
    }
    const rootMeanSquare = Math.sqrt(squares / trials);
    assert.ok(rootMeanSquare > STANDARD_ERROR / 2, `${rootMeanSquare}`);
    assert.ok(rootMeanSquare < STANDARD_ERROR * 1.5, `${rootMeanSquare}`);
  });

  test('does not grow when the same addresses come again', () => {
    const addresses = sketch();
    addIpv4(addresses, 0, 10_000, WINDOW);
    const once = addresses.count(WINDOW);
    addIpv4(addresses, 0, 10_000, WINDOW + 5);
    assert.equal(addresses.count(WINDOW + 5), once);
  });

  test('tells IPv6 addresses apart that differ in any one byte', () => {
    const addresses = sketch();
    for (let at = 0; at < 16; at += 1) {
      const address = new Uint8Array(16);
      address[at] = 1;
      addresses.add(address, WINDOW);
    }
    assert.equal(addresses.count(WINDOW), 16);
  });
});

describe('the window', () => {
  test('keeps an address for at least its length and forgets it a twelfth later', () => {
    const addresses = sketch();
    const start = 10 * WINDOW;
    addIpv4(addresses, 0, 100, start);
    assert.equal(addresses.count(start + WINDOW), 100);
    assert.equal(addresses.count(start + WINDOW + WINDOW / 12), 0);
  });

  test('counts old and new addresses together while both are within it', () => {
    const addresses = sketch();
    const start = 10 * WINDOW;
    addIpv4(addresses, 0, 20, start);
    addIpv4(addresses, 10, 30, start + WINDOW / 2);
    assert.equal(addresses.count(start + WINDOW / 2), 30);
    assert.equal(addresses.count(start + WINDOW + WINDOW / 6), 20);
  });

  test('is empty after a long silence', () => {
    const addresses = sketch();
    addIpv4(addresses, 0, 20, 10 * WINDOW);
    assert.equal(addresses.count(1_000 * WINDOW), 0);
  });

  test('goes on when the clock was set back', () => {
    const addresses = sketch();
    addIpv4(addresses, 0, 20, 10 * WINDOW);
    addIpv4(addresses, 20, 30, 9 * WINDOW);
    assert.equal(addresses.count(10 * WINDOW), 30);
  });
});
