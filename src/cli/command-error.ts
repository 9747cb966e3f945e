/**
 * How a command ends: done, with a sentence for the operator, or by Ctrl-C. What the world does to a command is turned
 * into a sentence and an exit code here, once; what only a bug can cause goes on as it is.
 */
import { type Config, describeProblem, isConfig, loadConfig } from '../config/config.ts';
import type { Environment, System } from '../config/system.ts';
import { StoreError } from '../persistence/store/store.ts';
import { ExitCode } from './exit-code.ts';
import type { Surroundings } from './surroundings.ts';
import { Progress } from './terminal/progress.ts';

/** A failure that the operator can do something about; the message is for the terminal. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = ExitCode.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What a command has while it works. */
export interface AtWork {
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
  /** As Ctrl-C does. */
  readonly interrupt: () => void;
  readonly progress: Progress;
}

/** Carries a command out and sets the exit code that it resolves with, or that of its failure. */
export async function carryOut(
  surroundings: Surroundings,
  work: (atWork: AtWork) => Promise<number>,
): Promise<void> {
  const { errors, monotonicMs, setExitCode } = surroundings;
  const ending = new AbortController();
  const interrupt = (): void => ending.abort();
  const endListening = surroundings.onInterrupt(interrupt);
  const progress = new Progress(errors, monotonicMs);
  try {
    setExitCode(await work({ signal: ending.signal, interrupt, progress }));
  } catch (error) {
    progress.clear();
    if (ending.signal.aborted) {
      errors.write('interrupted\n');
      setExitCode(ExitCode.interrupted);
    } else if (error instanceof CommandError) {
      errors.write(`${error.message}\n`);
      setExitCode(error.exitCode);
    } else if (error instanceof StoreError) {
      errors.write(`${error.message}\n`);
      setExitCode(ExitCode.failed);
    } else {
      throw error;
    }
  } finally {
    endListening();
  }
}

/** The configuration that the environment gives. Throws a CommandError that names every problem. */
export function configOf(env: Environment, system: System): Config {
  const config = loadConfig(env, system);
  if (isConfig(config)) return config;
  throw new CommandError(config.map(describeProblem).join('\n'));
}
