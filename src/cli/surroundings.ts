/**
 * What the commands know of the world: the environment, the machine, the terminal, clocks and randomness. The real
 * one is made in trakx.ts and nowhere else, so that every command can be tested with another.
 */
import type { Environment, System } from '../config/system.ts';
import type { MonotonicMs } from '../slices.ts';

/** Where a command writes. */
export interface Output {
  write(text: string): unknown;
}

export interface Surroundings {
  readonly env: Environment;
  readonly system: System;
  readonly input: NodeJS.ReadStream;
  readonly out: NodeJS.WriteStream;
  readonly errors: NodeJS.WriteStream;
  /** Seconds since the epoch. */
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  /** Uniform 32 bits. */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly setExitCode: (code: number) => void;
  /** Calls back at Ctrl-C; returns what ends that. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** How to start the tracker as a process of its own. */
  readonly tracker: TrackerProgram;
}

export interface TrackerProgram {
  /** Node itself. */
  readonly execPath: string;
  /** What this process was started with: a loader, say. */
  readonly execArgv: readonly string[];
  /** The compiled main, or what stands for it. */
  readonly main: URL;
}

/** Of no world at all: enough to put the tree of commands together and look at it, too little to carry one out. */
export function noSurroundings(): Surroundings {
  const none = (): never => {
    throw new Error('this command is only looked at');
  };
  return {
    env: {},
    system: { readFile: () => undefined, memoryBytes: 0, hasIpv6: false, isTerminal: false },
    input: process.stdin,
    out: process.stdout,
    errors: process.stderr,
    nowSeconds: none,
    monotonicMs: none,
    random: none,
    randomBytes: none,
    setExitCode: none,
    onInterrupt: none,
    tracker: { execPath: '', execArgv: [], main: new URL('file:///') },
  };
}

const BOOT_ID_BYTES = 8;

/** For what a command writes into a store: the id of a process, as a tracker has one (rule D-O1). */
export function bootId({ randomBytes }: Pick<Surroundings, 'randomBytes'>): string {
  return Buffer.from(randomBytes(BOOT_ID_BYTES)).toString('hex');
}
