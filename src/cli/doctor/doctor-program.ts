/** The words of `trakx doctor`. */
import { Command } from 'commander';
import { isConfig, loadConfig } from '../../config/config.ts';
import { carryOut } from '../command-error.ts';
import { runningUrl } from '../daemon/running-url.ts';
import type { Surroundings } from '../surroundings.ts';
import { localUrlOf } from '../tracker-client.ts';
import { doctorCommand } from './doctor-command.ts';

const HELP = `
A line for each thing it looked at: ok, warning, PROBLEM, or - for what cannot be looked at from here, and what to do.
It puts, reads, lists and deletes an object of its own in the configured store, and asks the tracker here and at
PUBLIC_URL with an announce that leaves no peer. It talks to nobody else, and changes nothing.

Run it with the tracker's own environment: on a dyno "heroku run node dist/cli/trakx.js doctor", beside a service with
the variables of that service.

Exit codes: 0 no problem (warnings are none), 1 at least one, 2 wrong use of the command.`;

export function doctorProgram(surroundings: Surroundings): Command {
  return new Command('doctor')
    .description(
      'check environment, machine, store, proxies and the public announce URL, and say what to fix',
    )
    .option('--json', 'as one JSON object')
    .addHelpText('after', HELP)
    .action((words: { json?: boolean }) =>
      carryOut(surroundings, (atWork) => {
        const { env, system } = surroundings;
        const config = loadConfig(env, system);
        const localUrl = runningUrl(surroundings) ?? (isConfig(config) ? localUrlOf(config) : undefined);
        return doctorCommand(surroundings, atWork, {
          localUrl,
          nodeVersion: process.version,
          isJson: words.json === true,
        });
      }),
    );
}
