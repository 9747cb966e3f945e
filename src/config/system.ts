/**
 * What the configuration asks of the machine. It comes in as an argument, so that every rule can be tested
 * without the machine that it is about; `thisMachine` is the real one.
 */
import { readFileSync } from 'node:fs';
import { networkInterfaces, totalmem } from 'node:os';

/** The environment's variables: process.env, or what a test says. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface System {
  /** A small file's text, undefined when it can't be read. */
  readonly readFile: (path: string) => string | undefined;
  /** The machine's memory. */
  readonly memoryBytes: number;
  /** Whether any interface has an IPv6 address. */
  readonly hasIpv6: boolean;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
}

export function thisMachine(): System {
  const interfaces = Object.values(networkInterfaces());
  return {
    readFile: readSmallFile,
    memoryBytes: totalmem(),
    hasIpv6: interfaces.some((addresses) => addresses?.some(({ family }) => family === 'IPv6')),
    isTerminal: process.stdout.isTTY === true,
  };
}

/**
 * How many files the process may have open, from Linux's /proc; undefined where there is none. Node raises its
 * soft limit to the hard one at start, so this is what it really has.
 */
export function openFilesMax(system: System): number | undefined {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(system.readFile('/proc/self/limits') ?? '');
  return match === null || match[1] === 'unlimited' ? undefined : Number(match[1]);
}

function readSmallFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // absent on this kind of machine, which the callers expect
  }
}
