/**
 * The keys with which objects are sealed (rule D-O5): AES-256-GCM for each block, so that a bucket that leaked holds no
 * list of people. New objects are sealed with the first key, if there is one; the others only open what was sealed
 * before. Remembers whether anything sealed was opened and what was not, by which GuardedStore knows whether to write.
 *
 * A block's nonce is the object's, 12 random bytes, with the block's number XORed into the last four; its associated
 * data are the object's key below the store's prefix and the first 20 bytes of the block's header, the number among
 * them: so a block that was moved to another object or place does not open. Leaves the layout to object-format.ts.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { StoreError } from '../store/store.ts';
import { BlockAt, NONCE_BYTES, SEAL_BYTES } from './object-format.ts';

const CIPHER = 'aes-256-gcm';
const CIPHER_OPTIONS = { authTagLength: SEAL_BYTES } as const;
const NONCE_COUNTER_AT = NONCE_BYTES - 4;

export class StoreKeys {
  readonly #keys: readonly KeyObject[];
  readonly #randomBytes: (count: number) => Uint8Array;
  readonly #locked = new Set<string>();
  /** Something sealed was opened: the keys are those of this store. */
  hasOpened = false;

  /** `keys` of 32 bytes each, the one for new objects first; `randomBytes` must never give the same 12 bytes twice. */
  constructor(keys: readonly Uint8Array[], randomBytes: (count: number) => Uint8Array) {
    this.#keys = keys.map((key) => createSecretKey(key));
    this.#randomBytes = randomBytes;
  }

  get count(): number {
    return this.#keys.length;
  }

  /** Objects that were read and that no key opens. */
  get locked(): ReadonlySet<string> {
    return this.#locked;
  }

  foundLocked(objectKey: string): void {
    this.#locked.add(objectKey);
  }

  /** The object is not there any more. */
  forgetLocked(objectKey: string): void {
    this.#locked.delete(objectKey);
  }

  /** The seal of a new object; undefined when objects are not sealed. */
  newSeal(objectKey: string): ObjectSeal | undefined {
    const key = this.#keys[0];
    return key && new ObjectSeal(key, objectKey, this.#randomBytes(NONCE_BYTES));
  }

  /** Opens what was sealed under this object's key with this nonce. */
  opener(objectKey: string, nonce: Uint8Array): ObjectOpener {
    return new ObjectOpener(this.#keys, objectKey, nonce);
  }

  /** What to throw for an object, a folder or a store that no key opens: a sentence that says what to do. */
  lockedError(what: string): StoreError {
    const why =
      this.#keys.length === 0
        ? 'is sealed and STORE_KEY is not set: set it to the key of this store'
        : 'is sealed with a key that is not in STORE_KEY: set that key, or add it after a new one with a comma between';
    const until = this.hasOpened ? '' : ' Nothing is written until then.';
    return new StoreError('locked', `${what} ${why}, and restart.${until}`);
  }
}

/** Seals the blocks of one object. */
export class ObjectSeal {
  readonly nonce: Uint8Array;
  readonly #key: KeyObject;
  readonly #context: BlockContext;

  constructor(key: KeyObject, objectKey: string, nonce: Uint8Array) {
    this.#key = key;
    this.nonce = nonce;
    this.#context = new BlockContext(objectKey, nonce);
  }

  /** Returns the content as it is to be stored, as long as before, and writes the tag into the block's header. */
  seal(header: Buffer, content: Uint8Array): Uint8Array {
    this.#context.of(header);
    const cipher = createCipheriv(CIPHER, this.#key, this.#context.nonce, CIPHER_OPTIONS);
    cipher.setAAD(this.#context.associatedData);
    const sealed = cipher.update(content);
    cipher.final();
    header.set(cipher.getAuthTag(), BlockAt.seal);
    return sealed;
  }
}

/** Opens the blocks of one object; the key that opened the first one is the only one tried after that. */
export class ObjectOpener {
  readonly #context: BlockContext;
  #keys: readonly { readonly key: KeyObject; readonly isFirst: boolean }[];
  /** Whether any block was opened, and whether with the key that seals new objects. */
  hasOpened = false;
  hasOpenedWithFirst = false;

  constructor(keys: readonly KeyObject[], objectKey: string, nonce: Uint8Array) {
    this.#keys = keys.map((key, index) => ({ key, isFirst: index === 0 }));
    this.#context = new BlockContext(objectKey, nonce);
  }

  /** The content as it was before it was sealed; undefined when no key opens it. */
  open(header: Buffer, content: Uint8Array): Buffer | undefined {
    this.#context.of(header);
    for (const candidate of this.#keys) {
      const opened = this.#tryKey(candidate.key, header, content);
      if (opened === undefined) continue;
      this.#keys = [candidate];
      this.hasOpened = true;
      this.hasOpenedWithFirst = candidate.isFirst;
      return opened;
    }
    return undefined;
  }

  #tryKey(key: KeyObject, header: Buffer, content: Uint8Array): Buffer | undefined {
    const decipher = createDecipheriv(CIPHER, key, this.#context.nonce, CIPHER_OPTIONS);
    decipher.setAAD(this.#context.associatedData);
    decipher.setAuthTag(header.subarray(BlockAt.seal, BlockAt.seal + SEAL_BYTES));
    const opened = decipher.update(content);
    try {
      decipher.final();
    } catch {
      return undefined; // another key, or not what was sealed
    }
    return opened;
  }
}

/** Nonce and associated data of one block after the other. */
class BlockContext {
  readonly nonce = Buffer.alloc(NONCE_BYTES);
  readonly associatedData: Buffer;
  readonly #headerAt: number;
  readonly #counterBase: number;

  constructor(objectKey: string, nonce: Uint8Array) {
    this.nonce.set(nonce);
    this.#counterBase = this.nonce.readUInt32LE(NONCE_COUNTER_AT);
    const name = Buffer.from(objectKey);
    this.#headerAt = name.length;
    this.associatedData = Buffer.concat([name, Buffer.alloc(BlockAt.seal)]);
  }

  of(header: Buffer): void {
    const number = header.readUInt32LE(BlockAt.number);
    this.nonce.writeUInt32LE((this.#counterBase ^ number) >>> 0, NONCE_COUNTER_AT);
    this.associatedData.set(header.subarray(0, BlockAt.seal), this.#headerAt);
  }
}
