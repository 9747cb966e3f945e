/** A machine for tests: nothing of the real one is looked at. */
import type { System } from '../../src/config/system.ts';

const MIB = 1024 * 1024;

export function machine(
  changes: Partial<System> & { files?: Readonly<Record<string, string>> } = {},
): System {
  const { files = {}, ...rest } = changes;
  return {
    readFile: (path) => files[path],
    memoryBytes: 512 * MIB,
    hasIpv6: true,
    isTerminal: true,
    ...rest,
  };
}
