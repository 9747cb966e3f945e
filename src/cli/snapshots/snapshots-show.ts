/** `trakx snapshots show`: one snapshot's manifest, its parts beside what the manifest says of them, and the journal past it. */
import { swarmParts } from '../../persistence/format/manifest.ts';
import { JOURNAL_PREFIX, partKey } from '../../persistence/format/object-keys.ts';
import { vectorOf } from '../../persistence/listing/manifest-cache.ts';
import { journalPast } from '../../persistence/survey/journal-survey.ts';
import { type SurveyedSnapshot, surveySnapshots } from '../../persistence/survey/snapshot-survey.ts';
import { ExitCode } from '../exit-code.ts';
import { bytesText, counted, durationText } from '../terminal/quantities.ts';
import { type Around, findSnapshot, nameOf, storeSeconds } from './snapshots-around.ts';
import { describe } from './snapshots-list.ts';

export async function showCommand(
  around: Around,
  options: { readonly name: string; readonly isJson: boolean },
): Promise<number> {
  const { store, out } = around;
  const snapshot = findSnapshot(await surveySnapshots(store, around), options.name);
  const summary = describe(snapshot, storeSeconds(around));
  const parts = partsOf(snapshot);
  const journal = await journalOf(snapshot, around);
  if (options.isJson) {
    const { cutSequence = null, vector = null } = snapshot.manifest ?? {};
    const { listed } = snapshot;
    const document = {
      ...summary,
      folder: listed.prefix,
      cutSequence,
      vector,
      partsListed: parts,
      journalPast: journal,
    };
    out.write(`${JSON.stringify(document, null, 2)}\n`);
    return ExitCode.done;
  }
  const rows: [string, string][] = [
    ['snapshot', `${nameOf(snapshot)} in ${store.address}`],
    ['state', snapshot.what === undefined ? summary.state : `${summary.state}: ${snapshot.what}`],
  ];
  if (summary.isSealed !== null) rows.push(['sealed', summary.isSealed ? 'yes' : 'no']);
  if (summary.takenAt !== null)
    rows.push(['taken at', `${summary.takenAt}, ${durationText(summary.ageSeconds ?? 0)} ago`]);
  if (snapshot.manifest !== undefined) {
    rows.push(['swarms', String(snapshot.manifest.swarms)], ['peers', String(snapshot.manifest.peers)]);
  }
  rows.push(['bytes', `${bytesText(summary.bytes)} in ${counted(summary.parts, 'part')} and a manifest`]);
  if (snapshot.manifest !== undefined) {
    const { cutSequence, boot } = snapshot.manifest;
    if (cutSequence > 0) rows.push(['holds', `the journal of ${boot} up to segment ${cutSequence}`]);
    for (const [other, sequence] of Object.entries(snapshot.manifest.vector))
      rows.push(['holds', `the journal of ${other} up to segment ${sequence}`]);
  }
  if (journal?.length === 0) rows.push(['past it', 'no journal']);
  for (const past of journal ?? []) rows.push(['past it', pastText(past)]);
  for (const { part, bytes, bytesExpected, isHistory } of parts) {
    const held = isHistory ? ', history' : '';
    rows.push([`part ${part}`, `${partText(bytes, bytesExpected)}${held}`]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) out.write(`${name.padEnd(width)}  ${value}\n`);
  return ExitCode.done;
}

interface JournalPast {
  readonly boot: string;
  readonly segments: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  readonly missing: number;
}

/** null when the manifest cannot be read: then nobody knows where the snapshot ends. */
async function journalOf(
  { manifest }: SurveyedSnapshot,
  { store, signal }: Around,
): Promise<readonly JournalPast[] | null> {
  if (manifest === undefined) return null;
  return journalPast(await store.list(JOURNAL_PREFIX, signal), vectorOf(manifest)).map(
    ({ boot, segments, bytes, first, last, missing }) => ({
      boot,
      segments: segments.length,
      bytes,
      first,
      last,
      missing: missing.length,
    }),
  );
}

function pastText({ boot, segments, bytes, first, last, missing }: JournalPast): string {
  const gap = missing === 0 ? '' : `; ${missing} are missing`;
  return `${counted(segments, 'segment')} of ${boot}, ${first} to ${last}, ${bytesText(bytes)}${gap}`;
}

interface PartListed {
  readonly part: number;
  readonly key: string;
  /** null: it is not there. */
  readonly bytes: number | null;
  /** By the manifest; null when that cannot be read or names no such part. */
  readonly bytesExpected: number | null;
  /** Whether it holds history and no swarms. */
  readonly isHistory: boolean;
}

function partsOf({ listed, manifest }: SurveyedSnapshot): readonly PartListed[] {
  const numbers = new Set([...listed.parts.keys(), ...(manifest?.partBytes.keys() ?? [])]);
  return [...numbers]
    .sort((a, b) => a - b)
    .map((part) => ({
      part,
      key: partKey(listed, part),
      bytes: listed.parts.get(part)?.sizeBytes ?? null,
      bytesExpected: manifest?.partBytes[part] ?? null,
      isHistory: manifest !== undefined && part >= swarmParts(manifest),
    }));
}

function partText(bytes: number | null, bytesExpected: number | null): string {
  if (bytes === null) return `missing; the manifest says ${bytesExpected} bytes`;
  if (bytesExpected === null || bytes === bytesExpected) return `${bytes} bytes`;
  return `${bytes} bytes; the manifest says ${bytesExpected}`;
}
