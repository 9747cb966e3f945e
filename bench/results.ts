/** Tables of figures: for the terminal, as Markdown to be pasted, and within the page beside the JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { heading, paragraph, tableHtml } from '../src/cli/stress/line-chart.ts';

export interface Machine {
  readonly node: string;
  readonly kernel: string;
  readonly processor: string;
  readonly cores: number;
  readonly date: string;
}

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

export const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

export function thisMachine(): Machine {
  return {
    node: process.version,
    kernel: `Linux ${release()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    date: new Date().toISOString(),
  };
}

export interface Writing {
  readonly folder: string;
  readonly name: string;
  /** Names the run: the same one is written over. */
  readonly date: string;
  /** Of machineText. */
  readonly machine: string;
  readonly results: unknown;
  readonly page: string;
  readonly tables: readonly Table[];
}

/** Writes the JSON, the page and the tables as Markdown, to be pasted; returns their paths. */
export function writeResults({ folder, name, date, machine, results, page, tables }: Writing): string[] {
  mkdirSync(folder, { recursive: true });
  const stem = `${date.replace(/[:.]/g, '-')}-${name}`;
  const path = (kind: string): string => join(folder, `${stem}.${kind}`);
  writeFileSync(path('json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(path('html'), page);
  writeFileSync(path('md'), [`${machine}\n`, ...tables.map(tableMarkdown)].join('\n'));
  return [path('json'), path('html'), path('md')];
}

function tableMarkdown({ title, header, rows, notes }: Table): string {
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const ruler = line(header.map((_, at) => (at === 0 ? '---' : '---:')));
  const remarks = notes.map((note) => `- ${note}`);
  return [`### ${title}`, '', line(header), ruler, ...rows.map(line), '', ...remarks, ''].join('\n');
}

export function tableText({ title, header, rows, notes }: Table): string {
  const widths = header.map((_, at) => Math.max(...[header, ...rows].map((row) => row[at]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ');
  return ['', title, line(header), ...rows.map(line), ...notes.map((note) => `* ${note}`), ''].join('\n');
}

export function tableParts({ title, header, rows, notes }: Table): string[] {
  return [heading(title), tableHtml(header, rows), ...notes.map(paragraph)];
}

/** What everything was measured on, and whether it means anything. */
export function machineText({ node, kernel, processor, cores, date }: Machine, isSmall: boolean): string {
  const warning = isSmall ? ' A small run: its figures show that the programs work and nothing else.' : '';
  return `${date} · Node ${node} · ${kernel} · ${processor} · ${cores} cores.${warning}`;
}

/** How a note says whether a figure is what it should be. */
export function reached(isReached: boolean): string {
  return isReached ? 'reached' : 'MISSED';
}
