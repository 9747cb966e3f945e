/** The tree of commands as a shell's completion needs it, read from the tree that parses the words: so it cannot be out of date. */
import type { Command } from 'commander';

export interface OptionWords {
  /** `--pid-file` */
  readonly flag: string;
  readonly description: string;
  /** What follows it: a file, something that only the user knows, or nothing. */
  readonly value: 'file' | 'other' | 'none';
}

export interface CommandWords {
  /** `trakx bans add`: the command and those above it, with spaces between. */
  readonly place: string;
  readonly description: string;
  readonly below: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
  readonly takesFile: boolean;
}

const HELP = { flag: '--help', description: 'display help for command', value: 'none' } as const;

/** Each command, before those below it. */
export function commandWords(command: Command, above = ''): readonly CommandWords[] {
  const place = `${above}${command.name()}`;
  const options = command.options
    .filter(({ long, hidden }) => long !== undefined && !hidden)
    .map(({ long, description, flags, required, optional }) => ({
      flag: long!,
      description,
      value:
        !required && !optional
          ? ('none' as const)
          : /<file>/.test(flags)
            ? ('file' as const)
            : ('other' as const),
    }));
  const own: CommandWords = {
    place,
    description: command.description(),
    below: command.commands.map((sub) => ({ name: sub.name(), description: sub.description() })),
    options: [...options, HELP],
    takesFile: command.registeredArguments.some((argument) => argument.name() === 'file'),
  };
  return [own, ...command.commands.flatMap((sub) => commandWords(sub, `${place} `))];
}
