/**
 * The file that a command writes with --output. Only its owner can read it, for it holds people's addresses or an
 * operator's reasons. It takes the place of what was there when all of it is written, and not before: a command that
 * fails or is interrupted leaves what it found.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { realpath, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CommandError } from './command-error.ts';

const OWNER_ONLY = 0o600;

/**
 * Writes what `text` gives. Where a device or a pipe is, that is written to and stays what it is. Throws a CommandError
 * when the file cannot be written; what `text` throws, and the end by the signal, goes on as it is.
 */
export async function writeOwnerOnly(
  path: string,
  text: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const target = await replaceable(path);
    if (target === undefined) await pipeline(text, createWriteStream(path), { signal });
    else await replace(target, text, signal);
  } catch (error) {
    if (isOfFile(error)) throw new CommandError(`${path} cannot be written: ${error.message}`);
    throw error;
  }
}

async function replace(target: string, text: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  const temporary = `${target}.${process.pid}.tmp`;
  // A mode counts only for a file that is made: so one is made, always.
  const file = createWriteStream(temporary, { flags: 'wx', mode: OWNER_ONLY, flush: true });
  await once(file, 'open');
  try {
    await pipeline(text, file, { signal });
    if (!file.closed) await once(file, 'close');
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first failure tells more
    throw error;
  }
}

/** The file to replace, behind all links, for those stay; undefined where something else is that is no plain file. */
async function replaceable(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isFile() ? await realpath(path) : undefined;
  } catch (error) {
    if (isOfFile(error) && error.code === 'ENOENT') return path;
    throw error;
  }
}

function isOfFile(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
