/**
 * Writes the tables that documents take from the sources, each between two marks.
 *   npm run docs               writes them
 *   npm run docs -- --check    fails when one is out of date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commandTable } from './command-table.ts';
import { metricTables } from './metric-tables.ts';
import { variableTables } from './variable-tables.ts';

interface Tables {
  /** What they are of: the word in both marks. */
  readonly of: string;
  readonly source: string;
  /** From this folder. */
  readonly document: string;
  readonly text: () => string;
}

const TABLES: readonly Tables[] = [
  { of: 'variables', source: 'src/config/variables.ts', document: '../README.md', text: variableTables },
  { of: 'metrics', source: 'src/stats/metrics.ts', document: 'operations.md', text: metricTables },
  { of: 'commands', source: 'src/cli/program.ts', document: 'command.md', text: commandTable },
];

const isCheck = process.argv.includes('--check');
for (const tables of TABLES) {
  const path = fileURLToPath(new URL(tables.document, import.meta.url));
  const text = readFileSync(path, 'utf8');
  const wanted = withTables(text, tables);
  if (!isCheck) {
    writeFileSync(path, wanted);
  } else if (wanted !== text) {
    console.error(`The tables of ${tables.of} in ${path} are out of date: npm run docs`);
    process.exitCode = 1;
  }
}

function withTables(document: string, { of, source, text }: Tables): string {
  const startMark = `<!-- ${of}: made by \`npm run docs\` from ${source} -->`;
  const endMark = `<!-- end of ${of} -->`;
  const start = document.indexOf(startMark);
  const end = document.indexOf(endMark);
  if (start < 0 || end < start) throw new Error(`A document lacks the marks ${startMark} and ${endMark}`);
  return `${document.slice(0, start + startMark.length)}\n\n${text()}\n\n${document.slice(end)}`;
}
