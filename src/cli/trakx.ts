#!/usr/bin/env node
/**
 * The `trakx` command: parses the words, runs one command, and turns the outcome into an exit code. Each command is a
 * file beside this one. It never imports the tracker; `run` starts it as a process of its own.
 */
import { randomBytes } from 'node:crypto';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { thisMachine } from '../config/system.ts';
import { configCommand } from './config-command.ts';
import { ExitCode } from './exit-code.ts';
import { runCommand } from './run-command.ts';
import { snapshotsProgram } from './snapshots-program.ts';
import { stressCommand } from './stress-command.ts';

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

program
  .command('stress')
  .description('send a tracker requests at a constant rate and tell how long it took to answer')
  .argument('[url]', 'the tracker, or one URL of it', `http://127.0.0.1:${process.env.PORT ?? '1337'}`)
  .option('--rate <number>', 'requests a second', wholeNumber(1, 1_000_000), 1_000)
  .option('--duration <time>', 'for how long: 500ms, 20s, 10m', duration, 20_000)
  .option('--path <path>', 'one path for every request, instead of announces', path)
  .option('--connections <number>', 'connections at once', wholeNumber(1, 10_000), 64)
  .option('--fresh', 'a connection for each request')
  .option('--peers <number>', 'how many peers announce', wholeNumber(1, 10_000_000), 100_000)
  .option(
    '--swarms <number>',
    'over how many swarms they are spread by Zipf’s law',
    wholeNumber(1, 10_000_000),
    10_000,
  )
  .option('--numwant <number>', 'peers asked for in each announce', wholeNumber(0, 1_000), 50)
  .option('--forwarded-for', 'name each peer’s address in X-Forwarded-For, for a tracker with TRUST_PROXY=1')
  .option('--json', 'the result as one JSON object')
  .option('--plot <file>', 'write a page with latency over time and a percentile curve')
  .option('--i-own-this-host', 'aim at a machine other than this one')
  .action(async (url: string, options) => {
    const ending = new AbortController();
    process.once('SIGINT', () => ending.abort());
    process.exitCode = await stressCommand(
      {
        url,
        isOwned: options.iOwnThisHost === true,
        requestsPerSecond: options.rate,
        durationMs: options.duration,
        connections: options.connections,
        path: options.path,
        swarms: options.swarms,
        peers: options.peers,
        numwant: options.numwant,
        isForwarded: options.forwardedFor === true,
        isFresh: options.fresh === true,
        isJson: options.json === true,
        plot: options.plot,
      },
      {
        out: process.stdout,
        errors: process.stderr,
        monotonicMs: () => performance.now(),
        random: () => (Math.random() * 0x1_0000_0000) >>> 0,
        signal: ending.signal,
      },
    );
  });

program.addCommand(
  snapshotsProgram({
    env: process.env,
    system: thisMachine(),
    input: process.stdin,
    out: process.stdout,
    errors: process.stderr,
    nowSeconds: () => Math.floor(Date.now() / 1000),
    monotonicMs: () => performance.now(),
    random: () => (Math.random() * 0x1_0000_0000) >>> 0,
    randomBytes,
    setExitCode: (code) => {
      process.exitCode = code;
    },
    onInterrupt: (listener) => {
      process.once('SIGINT', listener);
      return () => process.off('SIGINT', listener);
    },
  }),
);

for (const command of withSubcommands(program.commands)) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help is thrown too, with code 0; all else is wrong use.
  process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.wrongUse;
}

function withSubcommands(commands: readonly Command[]): readonly Command[] {
  return commands.flatMap((command) => [command, ...withSubcommands(command.commands)]);
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Allowed: ${min} to ${max}.`);
    }
    return value;
  };
}

function path(text: string): string {
  if (!/^\/[!-~]*$/.test(text))
    throw new InvalidArgumentError('Allowed: what begins with / and holds no space.');
  return text;
}

/** In milliseconds. */
function duration(text: string): number {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  const value = Number(number) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000);
  if (!(value >= 1 && value <= 3_600_000)) throw new InvalidArgumentError('Allowed: 1ms to 60m.');
  return value;
}
