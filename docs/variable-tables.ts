/** The README's tables of variables, from the table in src/config/variables.ts. */
import { allowedValues, VARIABLES, type VariableGroup, type VariableName } from '../src/config/variables.ts';
import { markdownTable } from './markdown-table.ts';

const TITLES: Readonly<Record<VariableGroup, string>> = {
  network: 'Network',
  announce: 'Announces and scrapes',
  table: 'The table of peers',
  store: 'The store',
  access: 'Who is served, and who may ban',
  other: 'Logs and statistics',
};

const COLUMNS = ['variable', 'default', 'allowed', 'what it does, and why so'];

export function variableTables(): string {
  const names = Object.keys(VARIABLES) as VariableName[];
  const sections = (Object.keys(TITLES) as VariableGroup[]).map((group) => {
    const rows = names.filter((name) => VARIABLES[name].group === group).map(row);
    return `### ${TITLES[group]}\n\n${markdownTable(COLUMNS, rows)}`;
  });
  return sections.join('\n\n');
}

function row(name: VariableName): string[] {
  const { about, why, default: preset, unit } = VARIABLES[name];
  const shown =
    typeof preset === 'number' ? `${preset}${unit === undefined ? '' : ` ${unit}`}` : asCode(preset, name);
  return [`\`${name}\``, shown, allowedValues(name), `${about} ${why}`];
}

/** A default that is a value, and not a sentence about it, reads as code. */
function asCode(preset: string, name: VariableName): string {
  const isValue =
    name.endsWith('_CRON') ||
    ['ACCESS_MODE', 'LOG_LEVEL', 'EXPRESS_LANE', 'STATS_SHOW_HASHES'].includes(name);
  return isValue ? `\`${preset}\`` : preset;
}
