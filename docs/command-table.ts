/**
 * Writes the table of commands into docs/command.md from the tree that parses them, between two marks.
 *   npm run docs                                       writes it
 *   node --import tsx docs/command-table.ts --check    fails when it is out of date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Argument, Command } from 'commander';
import { trakxProgram, withSubcommands, wordsOf } from '../src/cli/program.ts';
import { noSurroundings } from '../src/cli/surroundings.ts';

const START = '<!-- commands: made by `npm run docs` from src/cli/program.ts -->';
const END = '<!-- end of commands -->';

const path = fileURLToPath(new URL('./command.md', import.meta.url));
const text = readFileSync(path, 'utf8');
const start = text.indexOf(START);
const end = text.indexOf(END);
if (start < 0 || end < start) throw new Error(`docs/command.md lacks the marks ${START} and ${END}`);
const wanted = `${text.slice(0, start + START.length)}\n\n${table()}\n\n${text.slice(end)}`;
if (!process.argv.includes('--check')) {
  writeFileSync(path, wanted);
} else if (wanted !== text) {
  console.error('The table of commands in docs/command.md is out of date: npm run docs');
  process.exit(1);
}

function table(): string {
  const commands = withSubcommands([trakxProgram(noSurroundings())]);
  const rows = commands.filter((command) => command.commands.length === 0).map(row);
  return `| command | what it does | options |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

function row(command: Command): string {
  const words = [...wordsOf(command), ...command.registeredArguments.map(argumentText)].join(' ');
  const options = command.options.map(({ flags }) => `\`${flags}\``).join(', ');
  return `| ${[`\`${words}\``, command.description(), options].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function argumentText(argument: Argument): string {
  const inside = argument.argChoices?.join('|') ?? `${argument.name()}${argument.variadic ? '…' : ''}`;
  return argument.required ? `<${inside}>` : `[${inside}]`;
}
