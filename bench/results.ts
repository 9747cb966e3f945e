/** What the benchmarks found: tables for the terminal, and the same with plots as a page beside the JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { barChart, heading, lineChart, paragraph, reportPage, tableHtml } from '../src/cli/line-chart.ts';
import type { CostRow, Run } from './announce-cost.ts';
import type { MemoryRow } from './memory.ts';
import type { Scaling } from './scaling.ts';

export interface Machine {
  readonly node: string;
  readonly kernel: string;
  readonly processor: string;
  readonly cores: number;
  readonly date: string;
}

export interface Results {
  readonly machine: Machine;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly skipped: readonly string[];
  readonly costs: readonly CostRow[];
  readonly memory: readonly MemoryRow[];
  readonly scaling?: Scaling;
}

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

export function thisMachine(): Machine {
  return {
    node: process.version,
    kernel: `Linux ${release()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    date: new Date().toISOString(),
  };
}

/** Writes NAME.json and NAME.html below bench/results/; returns their paths. */
export function writeResults(name: string, results: unknown, page: string): string[] {
  mkdirSync(RESULTS, { recursive: true });
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const paths = ['json', 'html'].map((kind) => join(RESULTS, `${stamp}-${name}.${kind}`));
  writeFileSync(paths[0]!, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(paths[1]!, page);
  return paths;
}

export function costTable({ costs, rounds }: Results): Table {
  const peer = costs.find(({ key }) => key === 'opentracker')?.medians.fresh?.microseconds;
  const floor = costs.find(({ key }) => key === 'node-net')?.medians;
  const cells = (row: CostRow, run: 'kept' | 'fresh'): string[] => {
    const median = row.medians[run];
    if (median === undefined) return ['–', '–', '–', '–'];
    const { microseconds, perSecond } = median;
    return [
      microseconds.toFixed(1),
      ratio(microseconds, peer),
      ratio(microseconds, floor?.[run]?.microseconds),
      perSecond.toFixed(0),
    ];
  };
  const columns = ['µs CPU', '÷ opentracker', '÷ node:net', 'a second'];
  return {
    title: `CPU time per announce, median of ${rounds} interleaved rounds`,
    header: ['server', ...columns.map((name) => `kept: ${name}`), ...columns.map((name) => `fresh: ${name}`)],
    rows: costs.map((row) => [row.name, ...cells(row, 'kept'), ...cells(row, 'fresh')]),
    notes: [
      'kept: many announces on a connection; fresh: a connection for each. All ratios to opentracker are to its fresh connections, because it has no others.',
      'µs CPU: user and system time of the server’s process per answered announce. a second: answered with the server’s core full, or the client’s.',
      ...costs.flatMap(({ name, note }) => (note === undefined ? [] : `${name}: ${note}.`)),
      ...costs.flatMap(({ name, rounds: all }) => errorNotes(name, all)),
    ],
  };
}

/** What wrk counted as errors, so that nobody has to trust that there were none. */
function errorNotes(name: string, rounds: CostRow['rounds']): string[] {
  const notes: string[] = [];
  const failures = rounds.filter(({ failure }) => failure !== undefined);
  if (failures.length > 0) {
    const why = failures[0]!.failure!.split('\n').slice(0, 2).join(' ');
    notes.push(`${name}: ${failures.length} of ${rounds.length} rounds failed: ${why}`);
  }
  for (const run of ['kept', 'fresh', 'mixed', 'scrapeKept', 'scrapeFresh'] as const) {
    let errors = 0;
    let requests = 0;
    for (const round of rounds) {
      const wrk = round[run]?.wrk;
      if (wrk === undefined) continue;
      requests += wrk.requests;
      errors += wrk.errorsConnect + wrk.errorsRead + wrk.errorsWrite + wrk.errorsStatus + wrk.errorsTimeout;
    }
    if (errors > 0) notes.push(`${name}, ${run}: wrk counted ${errors} errors beside ${requests} answers.`);
  }
  return notes;
}

export function scrapeTable({ costs }: Results): Table {
  const rows = costs.filter(({ medians }) => medians.scrapeKept ?? medians.scrapeFresh);
  const cell = (row: CostRow, run: Run): string => row.medians[run]?.microseconds.toFixed(1) ?? '–';
  return {
    title: 'CPU time per scrape of one hash, µs',
    header: ['server', 'kept', 'fresh'],
    rows: rows.map((row) => [row.name, cell(row, 'scrapeKept'), cell(row, 'scrapeFresh')]),
    notes: [],
  };
}

export function mixedTable({ costs }: Results): Table {
  const rows = costs.filter(({ medians }) => medians.mixed);
  return {
    title: 'Kept connections, one other request in a hundred',
    header: ['server', 'µs CPU a request', '÷ announces alone', 'answered by the lane'],
    rows: rows.map(({ name, medians, laneShare }) => [
      name,
      medians.mixed!.microseconds.toFixed(1),
      ratio(medians.mixed!.microseconds, medians.kept?.microseconds),
      laneShare === undefined ? 'not counted by this build' : `${(laneShare * 100).toFixed(1)} %`,
    ]),
    notes: [],
  };
}

export function memoryTable({ memory }: Results): Table {
  return {
    title: 'Memory per peer: growth of the process per new peer after a warm-up',
    header: ['server', 'peers a swarm', 'new peers', 'idle, MiB', 'bytes a peer'],
    rows: memory.map(({ name, peersPerSwarm, peers, idleBytes, bytesPerPeer, failure }) => [
      name,
      String(peersPerSwarm),
      String(peers ?? '–'),
      idleBytes === undefined ? '–' : (idleBytes / 2 ** 20).toFixed(0),
      bytesPerPeer?.toFixed(1) ?? `failed: ${failure}`,
    ]),
    notes: [],
  };
}

export function scalingTable({ overTable, overSwarm, failures }: Scaling): Table {
  return {
    title: 'CPU time per announce as the table and its swarms grow',
    header: ['peers', 'swarms', 'peers a swarm', 'µs CPU', 'a second', 'process, MiB'],
    rows: [...overTable, ...overSwarm].map((point) => [
      String(point.peers),
      String(point.swarms),
      String(point.peersPerSwarm),
      point.microseconds.toFixed(1),
      point.perSecond.toFixed(0),
      (point.rssBytes / 2 ** 20).toFixed(0),
    ]),
    notes: failures,
  };
}

export function tableText({ title, header, rows, notes }: Table): string {
  const widths = header.map((_, at) => Math.max(...[header, ...rows].map((row) => row[at]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ');
  return ['', title, line(header), ...rows.map(line), ...notes.map((note) => `* ${note}`), ''].join('\n');
}

export function tablesOf(results: Results): Table[] {
  const all = [mixedTable(results), scrapeTable(results), memoryTable(results)];
  if (results.costs.length > 0) all.unshift(costTable(results));
  if (results.scaling !== undefined) all.push(scalingTable(results.scaling));
  return all.filter(({ rows, notes }) => rows.length + notes.length > 0);
}

export function resultsPage(results: Results): string {
  const { machine, costs, memory, scaling, skipped } = results;
  const parts = [
    machineText(machine, results.isQuick),
    ...skipped.map((text) => paragraph(`Left out: ${text}`)),
  ];
  for (const table of tablesOf(results)) parts.push(...tableParts(table));
  const bars = (run: Run): [string, number][] =>
    costs.flatMap(({ name, medians }): [string, number][] => {
      const { microseconds } = medians[run] ?? {};
      return microseconds === undefined ? [] : [[name, microseconds]];
    });
  if (bars('fresh').length > 0) {
    parts.push(barChart('CPU per announce, kept connections', bars('kept'), 'µs'));
    parts.push(barChart('CPU per announce, a connection each', bars('fresh'), 'µs'));
  }
  const perPeer = memory.flatMap(({ name, peersPerSwarm, bytesPerPeer }): [string, number][] =>
    bytesPerPeer === undefined ? [] : [[`${name}, ${peersPerSwarm} a swarm`, bytesPerPeer]],
  );
  if (perPeer.length > 0) parts.push(barChart('Memory per peer', perPeer, 'bytes'));
  if (scaling !== undefined) {
    const curve = (title: string, xLabel: string, points: readonly (readonly [number, number])[]) =>
      lineChart({
        title,
        xLabel,
        yLabel: 'µs CPU',
        isXLogarithmic: true,
        series: [{ name: 'Trakx', points }],
      });
    parts.push(
      curve(
        'Announce over the size of the table',
        'peers',
        scaling.overTable.map(({ peers, microseconds }) => [peers, microseconds] as const),
      ),
      curve(
        'Announce over the size of its swarm',
        'peers in the swarm',
        scaling.overSwarm.map(({ peersPerSwarm, microseconds }) => [peersPerSwarm, microseconds] as const),
      ),
    );
  }
  return reportPage('Trakx: benchmarks', parts);
}

export function tableParts({ title, header, rows, notes }: Table): string[] {
  return [heading(title), tableHtml(header, rows), ...notes.map(paragraph)];
}

export function machineText({ node, kernel, processor, cores, date }: Machine, isSmall: boolean): string {
  const warning = isSmall ? ' A small run: its figures show that the programs work and nothing else.' : '';
  return paragraph(`${date} · Node ${node} · ${kernel} · ${processor} · ${cores} cores.${warning}`);
}

function ratio(value: number, to: number | undefined): string {
  return to === undefined || to === 0 ? '–' : (value / to).toFixed(2);
}
