/** The words of `trakx bans` and `trakx allowed`, and where their list is: at a running tracker, or in the store. */
import { Command } from 'commander';
import type { ListName } from '../../access/access.ts';
import { type AtWork, CommandError, carryOut, configOf } from '../command-error.ts';
import { runningUrl } from '../daemon/running-url.ts';
import { ExitCode } from '../exit-code.ts';
import type { Surroundings } from '../surroundings.ts';
import { localUrlOf } from '../tracker-client.ts';
import { addCommand, type ChangeAround, importCommand, removeCommand } from './access-change.ts';
import { exportCommand, listCommand } from './access-show.ts';
import { AdminList } from './admin-list.ts';
import type { HashListAccess } from './hash-lists.ts';
import { assertNoneRuns } from './none-runs.ts';
import { StoreList } from './store-list.ts';

const WHERE_HELP = `
It asks the tracker that "trakx start" runs here, else the one at PORT of this machine, or the one at --url; ADMIN_TOKEN must
be the token that the tracker runs with. --store changes the configured store instead, when no tracker runs.`;

const EXIT_HELP = `
Exit codes: 0 done, 1 failed (nothing was changed, or it says what was), 2 wrong use of the command.`;

const FILE_HELP = `
One hash or magnet link a line; what begins with a #, after a space or with the line, is a remark. Lines of JSON, as
"export --json" writes them, bring reasons of their own. When a line holds no hash, its number is told and nothing is changed.`;

interface Words {
  readonly url?: string;
  readonly store?: boolean;
  readonly force?: boolean;
  readonly plainHttp?: boolean;
  readonly json?: boolean;
  readonly search?: string;
  readonly reason?: string;
  readonly from?: string;
  readonly output?: string;
  readonly skipInvalid?: boolean;
}

export function accessProgram(surroundings: Surroundings, name: ListName): Command {
  const [noun, add, remove] =
    name === 'bans'
      ? ['banned hashes', 'ban', 'lift bans']
      : ['hashes that ACCESS_MODE=allowlist serves', 'allow', 'allow no longer'];
  const { out, errors, input } = surroundings;
  const withList = (
    words: Words,
    work: (list: HashListAccess, atWork: AtWork) => Promise<number>,
    isChange = false,
  ): Promise<void> =>
    carryOut(surroundings, async (atWork) => {
      const list = await openList(surroundings, { name, words, isChange }, atWork);
      try {
        return await work(list, atWork);
      } finally {
        await list.close();
      }
    });
  const change = (words: Words, work: (around: ChangeAround) => Promise<number>): Promise<void> =>
    withList(
      words,
      (list, { progress }) => work({ list, progress, out, errors, input, isJson: words.json === true }),
      true,
    );

  const program = new Command(name)
    .description(`list and change the ${noun}, of a running tracker or in the store`)
    .addHelpText('after', `${WHERE_HELP}\n${EXIT_HELP}`);
  withPlace(program.command('list').description(`print the ${noun}, with time and reason`))
    .option('--search <text>', 'the beginning of a hash, a magnet link, or words of the reason')
    .addHelpText('after', EXIT_HELP)
    .action((words: Words) =>
      withList(words, (list) =>
        listCommand(list, surroundings, { search: words.search, isJson: words.json === true }),
      ),
    );
  withPlace(program.command('add').description(`${add} hashes, in force and stored when it is done`))
    .argument('<hashes...>', 'hashes or magnet links')
    .option('--reason <text>', 'kept with them, for your own records', '')
    .addHelpText(
      'after',
      `\nExample:\n  trakx ${name} add --reason 'takedown of 1 May' 'magnet:?xt=urn:btih:…'\n${EXIT_HELP}`,
    )
    .action((texts: string[], words: Words) =>
      change(words, (around) => addCommand(around, texts, words.reason ?? '')),
    );
  withPlace(program.command('remove').description(`${remove}: take hashes off the list`))
    .argument('[hashes...]', 'hashes or magnet links')
    .option('--from <file>', 'those of a file, or of standard input (-)')
    .addHelpText(
      'after',
      `\nExit codes: 0 at least one was on the list, 1 none was or it failed, 2 wrong use.`,
    )
    .action((texts: string[], words: Words) =>
      change(words, (around) => removeCommand(around, texts, words.from)),
    );
  withPlace(program.command('import').description(`${add} the hashes of a file`))
    .argument('<file>', 'the file, or - for standard input')
    .option('--reason <text>', 'of lines that bring none', '')
    .option('--skip-invalid', 'leave out lines that hold no hash')
    .addHelpText(
      'after',
      `${FILE_HELP}\n\nExamples:\n  trakx ${name} import list.txt --reason 'letter of 1 May'\n  trakx ${name} export --json | ssh other trakx ${name} import -\n${EXIT_HELP}`,
    )
    .action((file: string, words: Words) =>
      change(words, (around) =>
        importCommand(around, file, { reason: words.reason ?? '', isSkipping: words.skipInvalid === true }),
      ),
    );
  withPlace(
    program
      .command('export')
      .description('print what "import" reads; with --json lines with reason and time'),
  )
    .option('--search <text>', 'only what fits, as for list')
    .option('--output <file>', 'a file, made readable for its owner only, instead of standard output')
    .addHelpText('after', EXIT_HELP)
    .action((words: Words) =>
      withList(words, (list, { progress, signal }) =>
        exportCommand(list, surroundings, {
          search: words.search,
          isJson: words.json === true,
          output: words.output,
          progress,
          signal,
        }),
      ),
    );
  return program;
}

function withPlace(command: Command): Command {
  return command
    .option('--url <url>', 'the tracker elsewhere: https://tracker.example.org')
    .option('--plain-http', 'send the token unencrypted to another machine')
    .option('--store', 'in the configured store, when no tracker runs')
    .option('--force', 'with --store: although the store looks as if one did')
    .option('--json', 'as JSON');
}

async function openList(
  surroundings: Surroundings,
  { name, words, isChange }: { readonly name: ListName; readonly words: Words; readonly isChange: boolean },
  { signal, progress }: AtWork,
): Promise<HashListAccess> {
  const { env, system, nowSeconds, errors } = surroundings;
  if (words.store === true && words.url !== undefined)
    throw new CommandError('--store or --url, not both.', ExitCode.wrongUse);
  const running = runningUrl(surroundings);
  if (words.store === true) {
    const config = configOf(env, system);
    const urls = [...(running === undefined ? [] : [running]), localUrlOf(config)];
    const { journalSeconds } = config;
    const isForced = words.force === true;
    return StoreList.open(surroundings, {
      name,
      config,
      signal,
      // Reading disturbs nobody.
      assertUnused: async (store) =>
        isChange && assertNoneRuns(store, { urls, journalSeconds, nowSeconds, signal, isForced }),
    });
  }
  const url =
    words.url === undefined
      ? (running ?? localUrlOf(configOf(env, system)))
      : originOf(words.url, words.plainHttp === true);
  const token = env.ADMIN_TOKEN;
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
    throw new CommandError(
      'Set ADMIN_TOKEN to the token that the tracker runs with (or say --store when none runs).',
    );
  const onWait = (seconds: number): void => {
    progress.clear();
    errors.write(`The tracker asks to wait for ${seconds} s.\n`);
  };
  return new AdminList({ name, url, token, signal, onWait });
}

function originOf(text: string, mayBePlain: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new CommandError(`${text} is no http:// or https:// address.`, ExitCode.wrongUse);
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !isHere && !mayBePlain)
    throw new CommandError(
      `${url.origin} would be sent the token unencrypted: use https://, or say --plain-http where the network between is yours.`,
      ExitCode.wrongUse,
    );
  return url.origin;
}
