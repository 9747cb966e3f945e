/**
 * Of the hashes that a change names: which are named again, which are on the list already, and which it adds. Looked
 * up before the change, in slices; of two changes at the same moment both may say that they added a hash.
 */
import type { HashList } from '../../access/hash-list.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { HashKey } from '../../swarm/half-sip-hash.ts';
import { HashSlots, SLOT_HEADER_WORDS } from '../../swarm/hash-slots.ts';

const HASHES_PER_STEP = 256;

export interface HashState {
  readonly infoHash: string;
  readonly state: 'added' | 'already-listed';
}

export interface HashStates {
  /** Each once, in their order. */
  readonly distinct: readonly Uint8Array[];
  readonly alreadyListed: number;
  /** Of each, when there are no more than were asked for. */
  readonly results: readonly HashState[];
}

/** Looks through the hashes; what became of each by itself is kept for the first `resultsMax`. */
export async function statesOf(
  hashes: readonly Uint8Array[],
  list: Pick<HashList, 'has'>,
  options: { readonly resultsMax: number; readonly hashKey: HashKey; readonly monotonicMs: MonotonicMs },
): Promise<HashStates> {
  const { resultsMax, hashKey, monotonicMs } = options;
  const seen = new HashSlots({ slotsMax: hashes.length, wordsPerSlot: SLOT_HEADER_WORDS, hashKey });
  const distinct: Uint8Array[] = [];
  const results: HashState[] = [];
  let alreadyListed = 0;
  let at = 0;
  const look = (infoHash: Uint8Array): void => {
    if (seen.find(infoHash) >= 0) return;
    seen.insert(infoHash);
    distinct.push(infoHash);
    const isListed = list.has(infoHash);
    if (isListed) alreadyListed += 1;
    if (results.length === resultsMax) return;
    results.push({ infoHash: formatInfoHash(infoHash), state: isListed ? 'already-listed' : 'added' });
  };
  const step = (): boolean => {
    const end = Math.min(at + HASHES_PER_STEP, hashes.length);
    for (; at < end; at++) look(hashes[at]!);
    return at < hashes.length;
  };
  await runInSlices(step, { monotonicMs });
  return { distinct, alreadyListed, results };
}
