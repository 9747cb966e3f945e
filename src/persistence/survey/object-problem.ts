/** What is wrong with an object of the store, as people are told it. */
import type { ObjectState } from '../format/object-reader.ts';

export interface ObjectProblem {
  readonly key: string;
  /** As a sentence's end. */
  readonly what: string;
}

/** Of an object that is sealed. */
export const LOCKED = 'it is sealed, and no key in STORE_KEY opens it';
export const NEWER = 'a later version of the tracker wrote it';

/** What is wrong with an object that was read to its end, as a sentence's end; undefined when nothing is. */
export function problemOf(read: {
  readonly state: ObjectState;
  readonly damage: string | undefined;
}): string | undefined {
  switch (read.state) {
    case 'whole':
      return undefined;
    case 'newer':
      return NEWER;
    case 'locked':
      return LOCKED;
    case 'damaged':
      return read.damage ?? 'it is damaged';
  }
}
