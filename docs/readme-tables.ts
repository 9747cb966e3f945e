/**
 * Writes the README's tables of variables from the table in src/config/variables.ts, between two marks.
 *   npm run docs                                      writes them
 *   node --import tsx docs/readme-tables.ts --check   fails when they are out of date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allowedValues, VARIABLES, type VariableGroup, type VariableName } from '../src/config/variables.ts';

const START = '<!-- variables: made by `npm run docs` from src/config/variables.ts -->';
const END = '<!-- end of variables -->';

const TITLES: Readonly<Record<VariableGroup, string>> = {
  network: 'Network',
  announce: 'Announces and scrapes',
  table: 'The table of peers',
  store: 'The store',
  access: 'Who is served, and who may ban',
  other: 'Logs and statistics',
};

const readme = fileURLToPath(new URL('../README.md', import.meta.url));
const text = readFileSync(readme, 'utf8');
const wanted = withTables(text);
if (process.argv.includes('--check')) {
  if (wanted !== text) {
    console.error('The tables of variables in README.md are out of date: npm run docs');
    process.exit(1);
  }
} else {
  writeFileSync(readme, wanted);
}

function withTables(document: string): string {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start < 0 || end < start) throw new Error(`README.md lacks the marks ${START} and ${END}`);
  return `${document.slice(0, start + START.length)}\n\n${tables()}\n\n${document.slice(end)}`;
}

function tables(): string {
  const names = Object.keys(VARIABLES) as VariableName[];
  const sections = (Object.keys(TITLES) as VariableGroup[]).map((group) => {
    const rows = names.filter((name) => VARIABLES[name].group === group).map(row);
    return `### ${TITLES[group]}\n\n| variable | default | allowed | what it does, and why so |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
  });
  return sections.join('\n\n');
}

function row(name: VariableName): string {
  const { about, why, default: preset, unit } = VARIABLES[name];
  const shown =
    typeof preset === 'number' ? `${preset}${unit === undefined ? '' : ` ${unit}`}` : asCode(preset, name);
  const cells = [`\`${name}\``, shown, allowedValues(name), `${about} ${why}`];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** A default that is a value, and not a sentence about it, reads as code. */
function asCode(preset: string, name: VariableName): string {
  const isValue =
    name.endsWith('_CRON') ||
    ['ACCESS_MODE', 'LOG_LEVEL', 'EXPRESS_LANE', 'STATS_SHOW_HASHES'].includes(name);
  return isValue ? `\`${preset}\`` : preset;
}
