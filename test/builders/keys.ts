/** Keys for tests: none, or known ones with nonces that are the same in every run. */
import { createHash } from 'node:crypto';
import { StoreKeys } from '../../src/persistence/format/store-keys.ts';

export function noKeys(): StoreKeys {
  return new StoreKeys([], () => {
    throw new Error('nothing is sealed without a key');
  });
}

/** Key number 1, 2, …: the same 32 bytes in every run. */
export function storeKey(number: number): Uint8Array {
  return createHash('sha256').update(`key ${number}`).digest();
}

/** The keys of these numbers, the first of them for new objects. */
export function storeKeys(...numbers: number[]): StoreKeys {
  let nonces = 0;
  return new StoreKeys(numbers.map(storeKey), (count) => {
    nonces += 1;
    return createHash('sha256').update(`nonce ${numbers[0]} ${nonces}`).digest().subarray(0, count);
  });
}
