/** The table of commands in docs/command.md, from the tree that parses them. */
import type { Argument, Command } from 'commander';
import { trakxProgram, withSubcommands, wordsOf } from '../src/cli/program.ts';
import { noSurroundings } from '../src/cli/surroundings.ts';
import { markdownTable } from './markdown-table.ts';

export function commandTable(): string {
  const commands = withSubcommands([trakxProgram(noSurroundings())]);
  const rows = commands.filter((command) => command.commands.length === 0).map(row);
  return markdownTable(['command', 'what it does', 'options'], rows);
}

function row(command: Command): string[] {
  const words = [...wordsOf(command), ...command.registeredArguments.map(argumentText)].join(' ');
  const options = command.options.map(({ flags }) => `\`${flags}\``).join(', ');
  return [`\`${words}\``, command.description(), options];
}

function argumentText(argument: Argument): string {
  const inside = argument.argChoices?.join('|') ?? `${argument.name()}${argument.variadic ? '…' : ''}`;
  return argument.required ? `<${inside}>` : `[${inside}]`;
}
