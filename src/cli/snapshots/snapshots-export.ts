/**
 * `trakx snapshots export`: a snapshot as JSON lines (persistence/survey/snapshot-lines.ts), to standard output or a file
 * that only its owner can read, because the lines hold people's addresses.
 */
import { pipeline } from 'node:stream/promises';
import { swarmParts } from '../../persistence/format/manifest.ts';
import { isOversized } from '../../persistence/listing/snapshot-listing.ts';
import { readAhead } from '../../persistence/store/read-ahead.ts';
import { SnapshotLines } from '../../persistence/survey/snapshot-lines.ts';
import { type SurveyedSnapshot, surveySnapshots } from '../../persistence/survey/snapshot-survey.ts';
import { CommandError } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import { writeOwnerOnly } from '../owner-only-file.ts';
import { type Around, findSnapshot, nameOf, newestWhole } from './snapshots-around.ts';

export interface ExportOptions {
  /** undefined: the newest whole one. */
  readonly name: string | undefined;
  /** A file; undefined is standard output. */
  readonly output: string | undefined;
  readonly hasPeers: boolean;
}

/** Fails when the snapshot is not whole; what can be read of it is written all the same. */
export async function exportCommand(
  around: Around & { readonly out: NodeJS.WritableStream },
  options: ExportOptions,
): Promise<number> {
  const { store, errors, progress, signal } = around;
  const surveyed = await surveySnapshots(store, around);
  const snapshot = options.name === undefined ? newestWhole(surveyed) : findSnapshot(surveyed, options.name);
  if (snapshot === undefined) throw new CommandError(`There is no whole snapshot in ${store.address}`);
  const written = { swarms: 0, peers: 0 };
  const wrong: string[] = snapshot.state === 'whole' ? [] : [snapshot.what ?? snapshot.state];

  async function* text(): AsyncGenerator<string> {
    for await (const { key, bytes } of readAhead(store, partKeys(snapshot!), signal)) {
      if (bytes === undefined) {
        wrong.push(`${key} is gone since it was listed`);
        continue;
      }
      const lines = new SnapshotLines(key, bytes, { ...options, keys: around.keys });
      for (let block = lines.next(); block !== undefined; block = lines.next()) {
        if (block !== '') yield block;
        progress.show(
          () => `wrote ${written.swarms + lines.swarms} swarms, ${written.peers + lines.peers} peers`,
        );
      }
      written.swarms += lines.swarms;
      written.peers += lines.peers;
      if (lines.state !== 'whole') wrong.push(`${key}: ${lines.damage ?? lines.state}`);
    }
  }

  if (options.output === undefined) await pipeline(text, around.out, { signal, end: false });
  else await writeOwnerOnly(options.output, text(), signal);
  progress.clear();
  const peers = options.hasPeers ? `${written.peers} peers` : 'no peers';
  const where = options.output === undefined ? '' : ` to ${options.output}`;
  errors.write(`wrote ${written.swarms} swarms and ${peers} of snapshot ${nameOf(snapshot)}${where}\n`);
  for (const what of wrong) errors.write(`not whole: ${what}\n`);
  return wrong.length === 0 ? ExitCode.done : ExitCode.failed;
}

/** Those with swarms; of a snapshot without a manifest all that there are. */
function partKeys({ listed, manifest }: SurveyedSnapshot): readonly string[] {
  const end = manifest === undefined ? Number.POSITIVE_INFINITY : swarmParts(manifest);
  const parts = [...listed.parts].filter(([part, object]) => part < end && !isOversized(object));
  return parts.map(([, { key }]) => key).sort();
}
