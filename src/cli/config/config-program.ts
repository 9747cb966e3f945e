/** The words of `trakx config`. */
import { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { configCommand } from './config-command.ts';

const HELP = `
Every variable stands in README.md, with its default and what is allowed.

Example:
  PORT=8080 trakx config --json

Exit codes: 0 the configuration is right, 1 it is not, 2 wrong use of the command.`;

export function configProgram({ env, system, out, errors, setExitCode }: Surroundings): Command {
  return new Command('config')
    .description('print the configuration that the environment gives, secrets masked')
    .option('--json', 'as one JSON object')
    .addHelpText('after', HELP)
    .action((options: { json?: boolean }) =>
      setExitCode(configCommand(env, system, options.json === true, out, errors)),
    );
}
