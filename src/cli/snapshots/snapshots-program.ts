/**
 * The words of `trakx snapshots`: options, help, and what every command needs before it can work: the configured
 * store, a progress line, Ctrl-C. Each command is a file beside this one.
 */
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Environment } from '../../config/system.ts';
import { GuardedStore } from '../../persistence/format/guarded-store.ts';
import { StoreKeys } from '../../persistence/format/store-keys.ts';
import { openStore } from '../../persistence/store/open-store.ts';
import { WatchedStore } from '../../persistence/store/watched-store.ts';
import { carryOut, configOf } from '../command-error.ts';
import { SILENT_LOG } from '../silent-log.ts';
import { bootId, type Surroundings } from '../surroundings.ts';
import { wholeNumber } from '../terminal/option-values.ts';
import { parseTime } from '../terminal/quantities.ts';
import type { Around } from './snapshots-around.ts';
import { exportCommand } from './snapshots-export.ts';
import { listCommand } from './snapshots-list.ts';
import { pruneCommand } from './snapshots-prune.ts';
import { restoreCommand } from './snapshots-restore.ts';
import { showCommand } from './snapshots-show.ts';
import { verifyCommand } from './snapshots-verify.ts';

/** TO_AWS_REGION is AWS_REGION for the store that is written to. */
const OF_OTHER_STORE = 'TO_';

const STORE_HELP = `
The store is the one that the tracker would use with this environment (STORE_URL and what belongs to it);
"trakx config" shows it. Every command may run beside a tracker.`;

const EXIT_HELP = `
Exit codes: 0 done, 1 failed or something is wrong, 2 wrong use of the command.`;

const EXPORT_HELP = `
The lines hold the addresses of people. Treat them as you treat the store: keep them where nobody else reads, delete
them when you are done. --without-peers leaves the people out.

  {"kind":"swarm","infoHash":"<40 hex>","completed":3,"lastActivity":"2026-11-21T14:00:00Z"}
  {"kind":"peer","infoHash":"<40 hex>","address":"192.0.2.7","port":6881,"peerId":"<40 hex>","isSeeder":true,
   "isPartialSeed":false,"isCompletionCounted":false,"lastSeen":"2026-11-21T14:00:00Z"}`;

const RESTORE_HELP = `
TIME is ISO 8601 (2026-11-21T14:00:00Z; UTC where no zone is given), seconds since 1970, or "now", by the store's clock.
The newest whole snapshot that was taken at or before it is read, and the journal past it up to that second. The other
store must hold neither snapshots nor a journal; bans and allowed hashes are copied as they are now. This store is not changed.

The other store takes AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID and so on as this one does; where it needs
others, set TO_AWS_REGION, TO_AWS_ENDPOINT_URL_S3, TO_AWS_ACCESS_KEY_ID, TO_STORE_KEY and so on. What is written is
sealed with the first key of TO_STORE_KEY, or of STORE_KEY; TO_STORE_KEY= (empty) writes it open.

Examples:
  trakx snapshots restore --at 2026-11-21T14:00:00Z --to file:./state-of-two-o-clock
  trakx snapshots restore --to s3://bucket/prefix      (copies the newest state)`;

const PRUNE_HELP = `
Without names and --damaged it deletes what the tracker itself deletes after a save: whole snapshots beyond the newest
SNAPSHOT_KEEP, what was begun over two hours ago and never finished, and journal that no snapshot needs. Before anything
goes, one snapshot that stays is read to its last byte. Whatever a tracker would have kept goes only after a yes.`;

export function snapshotsProgram(surroundings: Surroundings): Command {
  const program = new Command('snapshots')
    .description('list, check, export, bring back and delete the saved snapshots')
    .addHelpText('after', STORE_HELP);

  const run = (work: (around: RunAround) => Promise<number>): Promise<void> => runWith(surroundings, work);

  program
    .command('list')
    .description('one line for each snapshot, newest first: number, age, size, state')
    .option('--json', 'as one JSON object')
    .action((options: { json?: boolean }) =>
      run((around) => listCommand(around, { isJson: options.json === true })),
    );

  program
    .command('show')
    .description('one snapshot: its manifest, its parts, and the journal past it')
    .argument('<number>', 'its number, or number-boot where two have the same')
    .option('--json', 'as one JSON object')
    .action((name: string, options: { json?: boolean }) =>
      run((around) => showCommand(around, { name, isJson: options.json === true })),
    );

  program
    .command('verify')
    .description('read every byte of a snapshot and say what is wrong; exit code 1 when anything is')
    .argument('[number]', 'its number, or number-boot; the newest when left out')
    .option('--all', 'everything in the store: all snapshots, the journal, bans and allowed hashes')
    .option('--json', 'as one JSON object')
    .action((name: string | undefined, options: { all?: boolean; json?: boolean }, command: Command) => {
      if (name !== undefined && options.all === true) command.error('error: a number or --all, not both');
      return run((around) =>
        verifyCommand(around, { name, isAll: options.all === true, isJson: options.json === true }),
      );
    });

  program
    .command('export')
    .description('print a snapshot as JSON lines, peers’ addresses included')
    .argument('[number]', 'its number, or number-boot; the newest whole one when left out')
    .option('--output <file>', 'a file, made readable for its owner only, instead of standard output')
    .option('--without-peers', 'swarms only, and nobody’s address')
    .option('--json', 'JSON lines, which it prints anyway')
    .addHelpText('after', EXPORT_HELP)
    .action((name: string | undefined, options: { output?: string; withoutPeers?: boolean }) =>
      run((around) =>
        exportCommand(
          { ...around, out: surroundings.out },
          { name, output: options.output, hasPeers: options.withoutPeers !== true },
        ),
      ),
    );

  program
    .command('restore')
    .description('write the state of a moment as one whole snapshot into another, empty store')
    .addOption(
      new Option('--at <time>', 'the moment').default('now').argParser((text) => {
        if (parseTime(text, 0) !== undefined) return text;
        throw new InvalidArgumentError('Allowed: ISO 8601, seconds since 1970, or now.');
      }),
    )
    .requiredOption('--to <store-url>', 'the other store: file:path or s3://bucket/prefix')
    .option('--json', 'the outcome as one JSON object')
    .addHelpText('after', RESTORE_HELP)
    .action((options: { at: string; to: string; json?: boolean }) =>
      run(async (around) => {
        const to = configOf(otherEnvironment(surroundings.env, options.to), surroundings.system);
        const { random, nowSeconds, monotonicMs } = surroundings;
        const toKeys = new StoreKeys(to.storeKeys, surroundings.randomBytes);
        const toDriver = await openStore(to.store, { nowSeconds });
        const toStore = new GuardedStore(
          new WatchedStore(toDriver, { log: SILENT_LOG, nowSeconds, monotonicMs }),
          toKeys,
        );
        return restoreCommand(
          { ...around, random, boot: bootId(surroundings), to: toStore, toKeys },
          { atSeconds: parseTime(options.at, nowSeconds())!, isJson: options.json === true },
        );
      }),
    );

  program
    .command('prune')
    .description('delete snapshots that are no longer needed, and damaged ones when asked to')
    .argument('[numbers...]', 'damaged, unfinished or other snapshots to delete')
    .option(
      '--keep <number>',
      'whole snapshots that stay, at least 1 (default: SNAPSHOT_KEEP)',
      wholeNumber(1, 9_999),
    )
    .option('--damaged', 'delete damaged ones too')
    .option('--dry-run', 'only say what would be deleted')
    .option('--yes', 'do not ask')
    .option('--json', 'the outcome as one JSON object')
    .addHelpText('after', PRUNE_HELP)
    .action((names: string[], options: PruneWords) =>
      run((around) =>
        pruneCommand(
          { ...around, boot: bootId(surroundings), confirm: confirmation(surroundings, around.interrupt) },
          {
            names,
            keep: options.keep,
            isDamaged: options.damaged === true,
            isDryRun: options.dryRun === true,
            isYes: options.yes === true,
            isJson: options.json === true,
          },
        ),
      ),
    );

  for (const command of [program, ...program.commands]) command.addHelpText('after', EXIT_HELP);
  return program;
}

interface RunAround extends Around {
  /** As Ctrl-C does. */
  readonly interrupt: () => void;
}

interface PruneWords {
  readonly keep?: number;
  readonly damaged?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Opens the configured store for the work. */
async function runWith(
  surroundings: Surroundings,
  work: (around: RunAround) => Promise<number>,
): Promise<void> {
  const { errors, out, nowSeconds, monotonicMs } = surroundings;
  await carryOut(surroundings, async (atWork) => {
    const config = configOf(surroundings.env, surroundings.system);
    const store = await openStore(config.store, { nowSeconds });
    const keys = new StoreKeys(config.storeKeys, surroundings.randomBytes);
    return work({ ...atWork, out, errors, nowSeconds, monotonicMs, config, store, keys });
  });
}

/** The environment of the other store: variables that begin with TO_ take the place of those of this one. */
function otherEnvironment(env: Environment, storeUrl: string): Environment {
  const others = Object.entries(env)
    .filter(([name]) => name.startsWith(OF_OTHER_STORE))
    .map(([name, value]) => [name.slice(OF_OTHER_STORE.length), value]);
  return { ...env, ...Object.fromEntries(others), STORE_URL: storeUrl };
}

/** Asks at the terminal; undefined when there is none. Ctrl-D is a no, Ctrl-C is Ctrl-C. */
function confirmation(
  { input, errors }: Surroundings,
  interrupt: () => void,
): ((question: string) => Promise<boolean>) | undefined {
  if (input.isTTY !== true) return undefined;
  return async (question) => {
    const terminal = createInterface({ input, output: errors });
    terminal.once('SIGINT', () => {
      interrupt();
      terminal.close();
    });
    const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('no')));
    try {
      const answer = await Promise.race([terminal.question(question), closed]);
      return /^y(es)?$/i.test(answer.trim());
    } finally {
      terminal.close();
    }
  };
}
