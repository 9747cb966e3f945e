/**
 * The tree of commands: each room's words, put together. What prints completions and the documentation's table reads
 * the same tree.
 */
import { Command } from 'commander';
import { accessProgram } from './access/access-program.ts';
import { completionProgram } from './completion/completion-program.ts';
import { configProgram } from './config/config-program.ts';
import { daemonPrograms } from './daemon/daemon-program.ts';
import { runProgram } from './daemon/run-program.ts';
import { doctorProgram } from './doctor/doctor-program.ts';
import { snapshotsProgram } from './snapshots/snapshots-program.ts';
import { stressProgram } from './stress/stress-program.ts';
import type { Surroundings } from './surroundings.ts';

const HELP = `
Exit codes: 0 done, 1 failed or something is wrong, 2 wrong use of the command. "status" has codes of its own.`;

export function trakxProgram(surroundings: Surroundings): Command {
  const program = new Command('trakx')
    .description(
      'A BitTorrent tracker that survives its restarts. Everything is set by environment variables.',
    )
    .addHelpText('after', HELP);
  for (const command of [
    runProgram(surroundings),
    ...daemonPrograms(surroundings),
    configProgram(surroundings),
    accessProgram(surroundings, 'bans'),
    accessProgram(surroundings, 'allowed'),
    snapshotsProgram(surroundings),
    doctorProgram(surroundings),
    stressProgram(surroundings),
    completionProgram(surroundings, () => program),
  ])
    program.addCommand(command);
  for (const command of withSubcommands([program])) {
    const words = [...wordsOf(command), '--help'].join(' ');
    command.exitOverride().showHelpAfterError(`(${words} tells more)`);
  }
  return program;
}

/** "trakx", "snapshots", "list": what is typed to call the command. */
export function wordsOf(command: Command): readonly string[] {
  return [...(command.parent === null ? [] : wordsOf(command.parent)), command.name()];
}

/** Each command, before those below it. */
export function withSubcommands(commands: readonly Command[]): readonly Command[] {
  return commands.flatMap((command) => [command, ...withSubcommands(command.commands)]);
}
