/** The words of `trakx stress`. */
import { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { duration, path, wholeNumber } from '../terminal/option-values.ts';
import { stressCommand } from './stress-command.ts';

const HELP = `
A line each second on standard error, the result on standard output. It aims at this machine unless told
--i-own-this-host. Ctrl-C ends it early and tells what was measured.

Examples:
  trakx stress --rate 2000 --duration 20s --plot stress.html
  trakx stress http://127.0.0.1:8080 --path /stats.json --json

Exit codes: 0 it was answered, 1 nothing was answered or the target may not be one, 2 wrong use of the command.`;

export function stressProgram(surroundings: Surroundings): Command {
  const { env, out, errors, monotonicMs, random, setExitCode, onInterrupt } = surroundings;
  return new Command('stress')
    .description('send a tracker requests at a constant rate and tell how long it took to answer')
    .argument('[url]', 'the tracker, or one URL of it', `http://127.0.0.1:${env.PORT ?? '1337'}`)
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
    .option(
      '--forwarded-for',
      'name each peer’s address in X-Forwarded-For, for a tracker with TRUST_PROXY=1',
    )
    .option('--json', 'the result as one JSON object')
    .option('--plot <file>', 'write a page with latency over time and a percentile curve')
    .option('--i-own-this-host', 'aim at a machine other than this one')
    .addHelpText('after', HELP)
    .action(async (url: string, options) => {
      const ending = new AbortController();
      const endListening = onInterrupt(() => ending.abort());
      const code = await stressCommand(
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
        { out, errors, monotonicMs, random, signal: ending.signal },
      ).finally(endListening);
      setExitCode(code);
    });
}
