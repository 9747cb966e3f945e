import assert from 'node:assert/strict';
import test from 'node:test';
import { halfSipHash } from '../../src/swarm/half-sip-hash.ts';

test('gives the published values of HalfSipHash-1-3 (Linux, test_vectors_hsiphash, 32 bit)', () => {
  const words = Uint32Array.of(0x03020100, 0x07060504, 0x0b0a0908);
  const hash = (count: number) => halfSipHash([0x03020100, 0x07060504], words, 0, count);
  assert.deepEqual([0, 1, 2, 3].map(hash), [0x5814c896, 0x7e059ea6, 0x577999b1, 0x6b28096c]);
});
