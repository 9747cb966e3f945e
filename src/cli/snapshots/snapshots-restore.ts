/**
 * `trakx snapshots restore`: the state as it was at some moment, written as one whole snapshot into another store,
 * which must hold neither snapshots nor a journal; bans and allowed hashes come along as they are now. The store that
 * it is read from is not changed. So it brings a state back, and copies one from a directory to a bucket or back.
 */
import type { StoreKeys } from '../../persistence/format/store-keys.ts';
import type { Store } from '../../persistence/store/store.ts';
import { copyAccessObjects } from '../../persistence/survey/access-copy.ts';
import { whatIsThere, writeSingleSnapshot } from '../../persistence/survey/single-snapshot.ts';
import { storedBytes } from '../../persistence/survey/snapshot-survey.ts';
import { loadStateAt, type StateAt } from '../../persistence/survey/state-at.ts';
import { CommandError } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import { bytesText, counted, timeText } from '../terminal/quantities.ts';
import { type Around, nameOf } from './snapshots-around.ts';

export interface RestoreAround extends Around {
  readonly to: Store;
  /** Those of TO_STORE_KEY, or of STORE_KEY. */
  readonly toKeys: StoreKeys;
  /** Of this process. */
  readonly boot: string;
  /** Uniform 32 bits. */
  readonly random: () => number;
}

export async function restoreCommand(
  around: RestoreAround,
  options: { readonly atSeconds: number; readonly isJson: boolean },
): Promise<number> {
  const { store, to, toKeys, progress, signal, config, out, errors } = around;
  const there = await whatIsThere(to, signal);
  if (there !== undefined) {
    throw new CommandError(
      `${to.address} is not empty: it holds ${there}. Restore into a store, or a prefix, that holds none.`,
    );
  }
  let bytesRead = 0;
  const onRead = (bytes: number): void => {
    bytesRead += bytes;
    progress.show(() => `read ${bytesText(bytesRead)} of ${store.address}`);
  };
  const { state, passedOver } = await loadStateAt({
    ...around,
    ...options,
    peerTtlSeconds: config.peerTtlSeconds,
    onRead,
  });
  progress.clear();
  for (const { key, what } of passedOver) errors.write(`passed over ${key}: ${what}\n`);
  if (state === undefined) {
    const at = timeText(options.atSeconds);
    throw new CommandError(`No whole snapshot in ${store.address} was taken at or before ${at}.`);
  }
  let bytesWritten = 0;
  const onWritten = (bytes: number): void => {
    bytesWritten += bytes;
    progress.show(() => `wrote ${bytesText(bytesWritten)} to ${to.address}`);
  };
  // The bans first: with the snapshot there, a tracker may start on it.
  const accessObjects = await copyAccessObjects(around, { store: to, keys: toKeys }, signal);
  const written = await writeSingleSnapshot({
    ...around,
    store: to,
    keys: toKeys,
    table: state.table,
    history: state.history,
    takenAtSeconds: state.asOfSeconds,
    onWritten,
  });
  progress.clear();
  const { swarms, peers } = written.manifest;
  const result = {
    from: store.address,
    to: to.address,
    snapshot: state.snapshot === undefined ? null : nameOf(state.snapshot),
    segments: state.segments,
    asOf: timeText(state.asOfSeconds),
    swarms,
    peers,
    peersExpired: state.counts.peersExpired,
    bytes: written.bytes,
    accessObjects,
  };
  out.write(options.isJson ? `${JSON.stringify(result, null, 2)}\n` : sentences(result, state));
  return ExitCode.done;
}

function sentences(
  result: {
    readonly to: string;
    readonly asOf: string;
    readonly swarms: number;
    readonly peers: number;
    readonly peersExpired: number;
    readonly bytes: number;
    readonly accessObjects: number;
  },
  { snapshot, segments }: StateAt,
): string {
  const expired = result.peersExpired === 0 ? '' : `, ${result.peersExpired} peers past PEER_TTL left out`;
  const read =
    snapshot === undefined
      ? 'no snapshot, for there is none,'
      : `snapshot ${nameOf(snapshot)}, ${bytesText(storedBytes(snapshot.listed))},`;
  return (
    `read ${read} and ${counted(segments, 'journal segment')} past it\n` +
    `wrote the state of ${result.asOf} to ${result.to}: ` +
    `${result.swarms} swarms, ${result.peers} peers, ${bytesText(result.bytes)}${expired}\n` +
    `copied ${result.accessObjects} objects of bans and allowed hashes\n`
  );
}
