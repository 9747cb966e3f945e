/** The words of `trakx start`, `stop`, `restart` and `status`. */
import { Command } from 'commander';
import { isConfig, loadConfig } from '../../config/config.ts';
import { carryOut } from '../command-error.ts';
import type { Surroundings } from '../surroundings.ts';
import { wholeNumber } from '../terminal/option-values.ts';
import { localUrlOf } from '../tracker-client.ts';
import type { DaemonAround } from './daemon-around.ts';
import { type DaemonFileOptions, daemonFiles } from './daemon-files.ts';
import { restartCommand } from './restart-command.ts';
import { startCommand } from './start-command.ts';
import { statusCommand } from './status-command.ts';
import { stopCommand } from './stop-command.ts';

/** Within it the tracker ends whatever its store does. */
const TIMEOUT_SECONDS = 30;

const FILES_HELP = `
The pid file and the log are /var/run/trakx.pid and /var/log/trakx.log for root, and trakx.pid and trakx.log in
~/.local/state/trakx (XDG_STATE_HOME) for anybody else. A second tracker on the same machine needs files of its own.`;

const START_HELP = `${FILES_HELP}
The working directory and the environment are the tracker's own: a relative STORE_URL is below where you call this.

Examples:
  trakx start
  PORT=8080 STORE_URL=file:/srv/other trakx start --pid-file /run/other.pid --log-file /var/log/other.log

Exit codes: 0 it listens, 1 it runs already or did not start (the end of its log says why), 2 wrong use.`;

const STOP_HELP = `${FILES_HELP}
SIGTERM lets it answer what is under way and save, which takes up to 30 s. Whatever the pid file says, no other program
is ever sent a signal: the process must have been started when the file says.

Example:
  trakx stop --timeout 60

Exit codes: 0 it does not run (any more), 1 it could not be stopped, 2 wrong use.`;

const RESTART_HELP = `${FILES_HELP}
The new process is made ready before the old one is told to stop, so that the port is closed for milliseconds. When it
cannot start (a wrong variable, say) the old one goes on. Without a running one it is "start".

Exit codes: 0 the new one listens and the old one has ended, 1 otherwise, 2 wrong use.`;

const STATUS_HELP = `${FILES_HELP}
Without a pid file it asks the configured port, where a tracker of systemd's or a container's may answer.

Exit codes: 0 it runs, 1 it is dead and left its pid file, 3 it does not run, 4 it runs and does not answer, 2 wrong use.`;

interface DaemonWords extends DaemonFileOptions {
  readonly timeout?: number;
  readonly kill?: boolean;
  readonly json?: boolean;
}

export function daemonPrograms(surroundings: Surroundings): readonly Command[] {
  const carry =
    (work: (around: DaemonAround, words: DaemonWords) => Promise<number>) =>
    (words: DaemonWords): Promise<void> =>
      carryOut(surroundings, (atWork) => {
        const { env, system } = surroundings;
        const files = daemonFiles(env, words, process.getuid?.() === 0);
        const timeoutSeconds = words.timeout ?? TIMEOUT_SECONDS;
        const config = loadConfig(env, system);
        const configuredUrl = isConfig(config) ? localUrlOf(config) : undefined;
        return work(
          { ...atWork, ...files, surroundings, configuredUrl, timeoutSeconds, isJson: words.json === true },
          words,
        );
      });

  return [
    withFiles(new Command('start').description('run the tracker in the background; done when it listens'))
      .addHelpText('after', START_HELP)
      .action(carry(startCommand)),
    withFiles(
      new Command('stop').description('stop the tracker that "start" started, and wait until it has saved'),
    )
      .option('--kill', 'end it at once when the time is up; what was not saved is lost')
      .addHelpText('after', STOP_HELP)
      .action(carry((around, words) => stopCommand(around, words.kill === true))),
    withFiles(new Command('restart').description('start it anew, with its port closed for milliseconds'))
      .addHelpText('after', RESTART_HELP)
      .action(carry(restartCommand)),
    new Command('status')
      .description('whether it runs: pid, uptime, peers, age of the last save, what a crash would lose')
      .option('--pid-file <file>', 'another pid file')
      .option('--json', 'as one JSON object')
      .addHelpText('after', STATUS_HELP)
      .action(carry(statusCommand)),
  ];
}

function withFiles(command: Command): Command {
  command.option('--pid-file <file>', 'another pid file');
  if (command.name() !== 'stop') command.option('--log-file <file>', 'another log file');
  return command
    .option('--timeout <seconds>', `how long to wait (default: ${TIMEOUT_SECONDS})`, wholeNumber(1, 3_600))
    .option('--json', 'the outcome as one JSON object');
}
