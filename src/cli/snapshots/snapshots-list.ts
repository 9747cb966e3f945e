/** `trakx snapshots list`: one line for each snapshot in the store, newest first. */
import {
  type SurveyedSnapshot,
  storedBytes,
  surveySnapshots,
} from '../../persistence/survey/snapshot-survey.ts';
import { ExitCode } from '../exit-code.ts';
import { bytesText, durationText, timeText } from '../terminal/quantities.ts';
import { textTable } from '../terminal/text-table.ts';
import { type Around, storeSeconds } from './snapshots-around.ts';

const COLUMNS = [
  { title: 'NUMBER', isRight: true },
  { title: 'BOOT' },
  { title: 'TAKEN AT' },
  { title: 'AGE', isRight: true },
  { title: 'PARTS', isRight: true },
  { title: 'BYTES', isRight: true },
  { title: 'SWARMS', isRight: true },
  { title: 'PEERS', isRight: true },
  { title: 'SEALED' },
  { title: 'STATE' },
] as const;

/** Finds nothing wrong with what it lists: that is the work of `verify`. */
export async function listCommand(around: Around, options: { readonly isJson: boolean }): Promise<number> {
  const { store, out } = around;
  const surveyed = await surveySnapshots(store, around);
  const now = storeSeconds(around);
  if (options.isJson) {
    const snapshots = surveyed.map((snapshot) => describe(snapshot, now));
    out.write(`${JSON.stringify({ store: store.address, snapshots }, null, 2)}\n`);
  } else if (surveyed.length === 0) {
    out.write(`There is no snapshot in ${store.address}\n`);
  } else {
    out.write(
      textTable(
        COLUMNS,
        surveyed.map((snapshot) => row(snapshot, now)),
      ),
    );
  }
  return ExitCode.done;
}

/** What is known of a snapshot without reading its parts, as JSON has it; null is what cannot be known. */
export function describe({ listed, manifest, state, what, isSealed }: SurveyedSnapshot, nowSeconds: number) {
  return {
    number: listed.number,
    boot: listed.boot,
    state,
    /** Why it is not whole. */
    what: what ?? null,
    isSealed: isSealed ?? null,
    takenAt: manifest === undefined ? null : timeText(manifest.takenAtSeconds),
    ageSeconds: manifest === undefined ? null : Math.max(0, nowSeconds - manifest.takenAtSeconds),
    parts: manifest?.partBytes.length ?? listed.parts.size,
    bytes: storedBytes(listed),
    swarms: manifest?.swarms ?? null,
    peers: manifest?.peers ?? null,
  };
}

function row(snapshot: SurveyedSnapshot, nowSeconds: number): string[] {
  const { number, boot, takenAt, ageSeconds, parts, bytes, swarms, peers, isSealed, state } = describe(
    snapshot,
    nowSeconds,
  );
  return [
    String(number),
    boot,
    takenAt ?? '-',
    ageSeconds === null ? '-' : durationText(ageSeconds),
    String(parts),
    bytesText(bytes),
    swarms === null ? '-' : String(swarms),
    peers === null ? '-' : String(peers),
    isSealed === null ? '-' : isSealed ? 'yes' : 'no',
    state,
  ];
}
