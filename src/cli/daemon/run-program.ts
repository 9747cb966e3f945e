/** The words of `trakx run`. */
import { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { runCommand } from './run-command.ts';

const HELP = `
For systemd, containers and terminals. Ctrl-C or SIGTERM saves and ends it, SIGUSR1 saves; the exit code is the tracker's.
"trakx start" runs it in the background.

Example:
  PORT=8080 trakx run

Exit codes: the tracker’s own (0 stopped and saved, 1 could not start or went wrong), 128 and the number of the signal that
ended it, 2 wrong use of the command.`;

export function runProgram({ tracker, setExitCode }: Surroundings): Command {
  return new Command('run')
    .description('run the tracker in the foreground until it is told to stop')
    .addHelpText('after', HELP)
    .action(async () => setExitCode(await runCommand(tracker, process)));
}
