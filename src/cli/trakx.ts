#!/usr/bin/env node
/**
 * The `trakx` command: parses the words, runs one command, and turns the outcome into an exit code. Each command is a
 * file beside this one. It never imports the tracker; `run` starts it as a process of its own.
 */
import { Command, CommanderError } from 'commander';
import { thisMachine } from '../config/system.ts';
import { configCommand } from './config-command.ts';
import { ExitCode } from './exit-code.ts';
import { runCommand } from './run-command.ts';

// `trakx config | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.done);
});

const program = new Command('trakx')
  .description('A BitTorrent tracker that survives its restarts. Everything is set by environment variables.')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong use of the command.')
  .showHelpAfterError('(trakx --help lists the commands)')
  .exitOverride();

program
  .command('config')
  .description('print the configuration that the environment gives, secrets masked')
  .option('--json', 'as one JSON object')
  .action((options: { json?: boolean }) => {
    process.exitCode = configCommand(
      process.env,
      thisMachine(),
      options.json === true,
      process.stdout,
      process.stderr,
    );
  });

program
  .command('run')
  .description('run the tracker in the foreground until it is told to stop')
  .action(async () => {
    process.exitCode = await runCommand(new URL('../main.js', import.meta.url), process);
  });

for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help is thrown too, with code 0; all else is wrong use.
  process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.wrongUse;
}
