/** Where the tracker answers that "trakx start" started here, with its files in their usual place. */
import type { Surroundings } from '../surroundings.ts';
import { daemonFiles } from './daemon-files.ts';
import { readPidFile } from './pid-file.ts';

/** undefined when none runs. */
export function runningUrl({ env }: Pick<Surroundings, 'env'>): string | undefined {
  const { pidFile } = daemonFiles(env, {}, process.getuid?.() === 0);
  const there = readPidFile(pidFile);
  return there.kind === 'alive' ? there.record.url : undefined;
}
