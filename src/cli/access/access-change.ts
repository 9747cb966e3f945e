/** `trakx bans add`, `remove` and `import`, and the same of allowed hashes: all or nothing is asked for, in one go. */
import { createReadStream } from 'node:fs';
import { REASON_BYTES_MAX } from '../../persistence/format/access-object.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { infoHashFrom } from '../../protocol/magnet.ts';
import { CommandError } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Progress } from '../terminal/progress.ts';
import { type HashLines, lineNumbers, parseHashLines } from './hash-lines.ts';
import { counted, type HashListAccess } from './hash-lists.ts';

export interface ChangeAround extends Pick<Surroundings, 'out' | 'errors' | 'input'> {
  readonly list: HashListAccess;
  readonly progress: Progress;
  readonly isJson: boolean;
}

/** More than any list can hold. */
const INPUT_BYTES_MAX = 512 * 1024 * 1024;

export async function addCommand(
  around: ChangeAround,
  texts: readonly string[],
  reason: string,
): Promise<number> {
  return addAll(around, hashesOf(texts, reason));
}

export async function importCommand(
  around: ChangeAround,
  file: string,
  { reason, isSkipping }: { readonly reason: string; readonly isSkipping: boolean },
): Promise<number> {
  const lines = parseHashLines(await read(file, around.input), reason);
  const { invalid } = lines;
  if (invalid.length > 0) {
    const which = `line${invalid.length === 1 ? '' : 's'} ${lineNumbers(invalid)}`;
    const where = file === '-' ? 'standard input' : file;
    const sentence = `No info hash or magnet link stands in ${which} of ${where}.`;
    if (!isSkipping)
      throw new CommandError(`${sentence} Nothing was changed; --skip-invalid leaves such lines out.`);
    around.errors.write(`${sentence}\n`);
  }
  return addAll(around, lines);
}

export async function removeCommand(
  around: ChangeAround,
  texts: readonly string[],
  file: string | undefined,
): Promise<number> {
  const { list, out, errors, progress, isJson, input } = around;
  const fromFile = file === undefined ? undefined : parseHashLines(await read(file, input), '');
  if (fromFile !== undefined && fromFile.invalid.length > 0)
    throw new CommandError(
      `No info hash or magnet link stands in line ${lineNumbers(fromFile.invalid)} of ${file}. Nothing was changed.`,
    );
  const hashes = [...hashesOf(texts, '').byReason.values(), ...(fromFile?.byReason.values() ?? [])].flat();
  if (hashes.length === 0) throw new CommandError('Name hashes, or a file with --from.', ExitCode.wrongUse);
  const missing = await list.remove(hashes, (done) =>
    progress.show(() => `${done} of ${hashes.length} hashes`),
  );
  const notListed = missing.map(formatInfoHash);
  const removed = hashes.length - notListed.length;
  progress.clear();
  if (isJson)
    out.write(`${JSON.stringify({ where: list.where, list: list.name, removed, notListed }, null, 2)}\n`);
  else out.write(`removed ${counted(list.name, removed)}${removed === 0 ? '' : '; stored'}\n`);
  if (!isJson)
    for (const infoHash of notListed.slice(0, 20)) errors.write(`${infoHash} was not on the list\n`);
  if (!isJson && notListed.length > 20) errors.write(`and ${notListed.length - 20} more were not\n`);
  return removed === 0 ? ExitCode.failed : ExitCode.done;
}

async function addAll({ list, out, progress, isJson }: ChangeAround, lines: HashLines): Promise<number> {
  const { byReason, count, invalid } = lines;
  for (const reason of byReason.keys()) {
    const bytes = Buffer.byteLength(reason);
    if (bytes > REASON_BYTES_MAX)
      throw new CommandError(
        `A reason may have up to ${REASON_BYTES_MAX} bytes of UTF-8; one has ${bytes}. Nothing was changed.`,
      );
  }
  if (count === 0) throw new CommandError('There is no hash in it.');
  let added = 0;
  let alreadyListed = 0;
  let done = 0;
  for (const [reason, hashes] of byReason) {
    for (let at = 0; at < hashes.length; at += list.hashesPerChange) {
      const some = hashes.slice(at, at + list.hashesPerChange);
      const outcome = await list.add(some, reason).catch((error: unknown) => {
        if (!(error instanceof CommandError) || done === 0) throw error;
        throw new CommandError(
          `${error.message}\n${done} of ${count} hashes were taken before; the same command again does the rest.`,
        );
      });
      added += outcome.added;
      alreadyListed += outcome.alreadyListed;
      done += some.length;
      progress.show(() => `${done} of ${count} hashes`);
    }
  }
  progress.clear();
  const document = {
    where: list.where,
    list: list.name,
    hashes: count,
    added,
    alreadyListed,
    invalidLines: invalid,
  };
  const known = alreadyListed === 0 ? '' : `, ${alreadyListed} were on the list before`;
  out.write(
    isJson
      ? `${JSON.stringify(document, null, 2)}\n`
      : `${counted(list.name, added)} added${known}; in force and stored\n`,
  );
  return ExitCode.done;
}

function hashesOf(texts: readonly string[], reason: string): HashLines {
  const hashes = new Map<string, Uint8Array>();
  for (const text of texts) {
    const infoHash = infoHashFrom(text);
    if (infoHash === undefined)
      throw new CommandError(
        `${text} is no info hash: 40 hex or 32 base32 characters, or a magnet link. Nothing was changed.`,
        ExitCode.wrongUse,
      );
    hashes.set(formatInfoHash(infoHash), infoHash);
  }
  const byReason = new Map(hashes.size === 0 ? [] : [[reason, [...hashes.values()]]]);
  return { byReason, count: hashes.size, invalid: [] };
}

async function read(file: string, input: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of file === '-' ? input : createReadStream(file)) {
      bytes += chunk.length;
      if (bytes > INPUT_BYTES_MAX) throw new Error(`it has more than ${INPUT_BYTES_MAX} bytes`);
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    throw new CommandError(`Cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
  return Buffer.concat(chunks).toString();
}
