/** `trakx bans list` and `export`, and the same of allowed hashes: what is on the list. */
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { VARIABLE_OF } from '../../access/access.ts';
import { ExitCode } from '../exit-code.ts';
import { writeOwnerOnly } from '../owner-only-file.ts';
import type { Surroundings } from '../surroundings.ts';
import { oneLine } from '../terminal/one-line.ts';
import type { Progress } from '../terminal/progress.ts';
import { hashLine } from './hash-lines.ts';
import { counted, type HashListAccess, type ListHead } from './hash-lists.ts';

export interface ShowOptions {
  readonly search: string | undefined;
  readonly isJson: boolean;
}

/** A line each as it comes, so that a long list needs no memory; as JSON one object. */
export async function listCommand(
  list: HashListAccess,
  { out }: Pick<Surroundings, 'out'>,
  { search, isJson }: ShowOptions,
): Promise<number> {
  let head: ListHead = { count: 0, byEnvironment: [] };
  let shown = 0;
  const onHead = (told: ListHead): void => {
    head = told;
    const { count, byEnvironment } = told;
    if (isJson)
      out.write(
        `{\n  "where": ${JSON.stringify(list.where)},\n  "count": ${count},\n  "byEnvironment": ${JSON.stringify(byEnvironment)},\n  "${list.name}": [`,
      );
  };
  for await (const entry of list.entries(search, onHead)) {
    const { infoHash, changedAt, reason } = entry;
    if (isJson) await write(out, `${shown === 0 ? '' : ','}\n    ${JSON.stringify(entry)}`);
    else
      await write(out, `${infoHash}  ${changedAt.slice(0, 19)}Z  ${oneLine(reason)}`.trimEnd().concat('\n'));
    shown += 1;
  }
  if (isJson) {
    out.write(`${shown === 0 ? '' : '\n  '}]\n}\n`);
    return ExitCode.done;
  }
  for (const infoHash of head.byEnvironment) out.write(`${infoHash}  (in ${VARIABLE_OF[list.name]})\n`);
  if (shown + head.byEnvironment.length === 0)
    out.write(
      search === undefined
        ? `There are no ${counted(list.name, 0).slice(2)} at ${list.where}\n`
        : 'Nothing fits.\n',
    );
  return ExitCode.done;
}

export interface ExportOptions extends ShowOptions {
  /** A file; undefined is standard output. */
  readonly output: string | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What `import` reads; hashes of the environment are not part of the list. */
export async function exportCommand(
  list: HashListAccess,
  { out, errors }: Pick<Surroundings, 'out' | 'errors'>,
  { search, isJson, output, progress, signal }: ExportOptions,
): Promise<number> {
  let written = 0;
  async function* text(): AsyncGenerator<string> {
    for await (const entry of list.entries(search, () => {})) {
      yield hashLine(entry, isJson);
      written += 1;
      progress.show(() => `${written} hashes`);
    }
  }
  if (output === undefined) await pipeline(text, out, { signal, end: false });
  else await writeOwnerOnly(output, text(), signal);
  progress.clear();
  if (output !== undefined) errors.write(`wrote ${counted(list.name, written)} to ${output}\n`);
  return ExitCode.done;
}

async function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}
