/** What a comparing run found: a table for each section, and a page with plots. */
import { barChart, lineChart, paragraph, reportPage } from '../src/cli/stress/line-chart.ts';
import type { CostRow, Run } from './announce-cost.ts';
import { type CountingResult, countingPlots, countingTable } from './counting.ts';
import { type EventLoopResult, eventLoopPlots, eventLoopTable } from './event-loop.ts';
import type { MemoryRow } from './memory.ts';
import { type RestoreResult, restorePlots, restoreTable } from './restore.ts';
import { type Machine, machineText, type Table, tableParts } from './results.ts';
import { type SavingResult, savingPlots, savingTable } from './saving.ts';
import type { Scaling } from './scaling.ts';

export interface Results {
  readonly machine: Machine;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly skipped: readonly string[];
  costs: readonly CostRow[];
  memory: readonly MemoryRow[];
  scaling?: Scaling;
  eventLoop?: EventLoopResult;
  restore?: RestoreResult;
  saving?: SavingResult;
  counting?: CountingResult;
  /** What went wrong, or must be better: the run has failed when there is any. */
  failures: readonly string[];
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

/** Of requests on kept connections, one in a hundred another: a handed-over connection must come back. */
export const LANE_SHARE_MIN = 0.98;

function laneShareText(share: number | undefined): string {
  if (share === undefined) return 'not measured';
  return `${(share * 100).toFixed(2)} %`;
}

/** Whose lane answers too little of the mixed run. The server whose lane is off is no failure. */
export function laneFailures(costs: readonly CostRow[]): string[] {
  return costs.flatMap(({ key, name, laneShare }) =>
    key === 'trakx' && laneShare !== undefined && laneShare < LANE_SHARE_MIN
      ? [
          `${name}: the lane answered ${laneShareText(laneShare)} of the mixed requests, less than ${LANE_SHARE_MIN * 100} %`,
        ]
      : [],
  );
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
      laneShareText(laneShare),
    ]),
    notes:
      rows.length === 0
        ? []
        : [
            ...laneFailures(costs).map((text) => `FAILED: ${text}.`),
            `One request in a hundred asks for /stats.json. The lane must answer at least ${LANE_SHARE_MIN * 100} % of all.`,
          ],
  };
}

export function memoryTable({ memory }: Results): Table {
  return {
    title: 'Memory per peer: growth of the process per new peer after a warm-up',
    header: ['server', 'peers a swarm', 'new peers', 'idle, MiB', 'bytes a peer'],
    rows: memory.map(({ name, peersPerSwarm, isMixed, peers, idleBytes, bytesPerPeer, failure }) => [
      isMixed ? `${name}, half over IPv6` : name,
      String(peersPerSwarm),
      String(peers ?? '–'),
      idleBytes === undefined ? '–' : (idleBytes / 2 ** 20).toFixed(0),
      bytesPerPeer?.toFixed(1) ?? `failed: ${failure}`,
    ]),
    notes: memory.length === 0 ? [] : ['idle: RSS of the started process, before the first announce.'],
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

export function tablesOf(results: Results): Table[] {
  const all = [mixedTable(results), scrapeTable(results), memoryTable(results)];
  if (results.costs.length > 0) all.unshift(costTable(results));
  const { scaling, eventLoop, restore, saving, counting } = results;
  if (scaling !== undefined) all.push(scalingTable(scaling));
  if (eventLoop !== undefined) all.push(eventLoopTable(eventLoop));
  if (restore !== undefined) all.push(restoreTable(restore));
  if (saving !== undefined) all.push(savingTable(saving));
  if (counting !== undefined) all.push(countingTable(counting));
  return all.filter(({ rows, notes }) => rows.length + notes.length > 0);
}

export function resultsPage(results: Results): string {
  const { machine, costs, memory, scaling, skipped } = results;
  const parts = [
    paragraph(machineText(machine, results.isQuick)),
    ...results.failures.map((text) => paragraph(`FAILED: ${text}`)),
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
  const perPeer = memory.flatMap(({ name, peersPerSwarm, isMixed, bytesPerPeer }): [string, number][] =>
    bytesPerPeer === undefined
      ? []
      : [[`${name}, ${peersPerSwarm} a swarm${isMixed ? ', IPv6' : ''}`, bytesPerPeer]],
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
  if (results.eventLoop !== undefined) parts.push(...eventLoopPlots(results.eventLoop));
  if (results.restore !== undefined) parts.push(...restorePlots(results.restore));
  if (results.saving !== undefined) parts.push(...savingPlots(results.saving));
  if (results.counting !== undefined) parts.push(...countingPlots(results.counting));
  return reportPage('Trakx: benchmarks', parts);
}

function ratio(value: number, to: number | undefined): string {
  return to === undefined || to === 0 ? '–' : (value / to).toFixed(2);
}
