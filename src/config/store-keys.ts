/**
 * STORE_KEY: the keys with which objects in the store are sealed, the one for new objects first. Promises that no
 * problem shows any of a key. What the keys do is persistence's.
 */
import type { VariableReader } from './variable-reader.ts';
import { allowedValues } from './variables.ts';

const KEY_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/i;
/** 32 bytes are 43 characters of base64 and one of padding. */
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/** Problems go to the reader; no keys then. */
export function readStoreKeys(reader: VariableReader): readonly Uint8Array[] {
  const text = reader.text('STORE_KEY');
  if (text === undefined) return [];
  const keys = text.split(',').map((part) => parseKey(part.trim()));
  const wrongAt = keys.indexOf(undefined);
  if (wrongAt >= 0) {
    const which = keys.length === 1 ? '' : `; key ${wrongAt + 1} of ${keys.length} is not so`;
    reader.refuse('STORE_KEY', `${allowedValues('STORE_KEY')}${which}`);
  }
  return keys.filter((key) => key !== undefined);
}

function parseKey(text: string): Uint8Array | undefined {
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  const key = BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
  // The last character holds two bits that are not of the key: where they are set something was mistyped.
  return key?.length === KEY_BYTES && key.toString('base64') === text ? key : undefined;
}
