/**
 * A CPU profile as a picture: an SVG that needs nothing else. Each bar is a function, its width the share of the
 * samples in which it was on the stack, what called it below it; the tooltip has the figures. Pure.
 *
 *   node --import tsx bench/flame-graph.ts PROFILE.cpuprofile PICTURE.svg [TITLE]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What V8 writes, as far as it is needed (the DevTools protocol's Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

export type Kind = 'ours' | 'packages' | 'node' | 'native' | 'collector';

export interface Frame {
  readonly name: string;
  readonly kind: Kind;
  readonly place: string;
  /** On top of the stack, and anywhere on it. */
  selfMicroseconds: number;
  totalMicroseconds: number;
  readonly callees: Map<string, Frame>;
}

const KINDS: Readonly<Record<Kind, readonly [colour: string, meaning: string]>> = {
  ours: ['#7fb2e5', 'Trakx'],
  packages: ['#b6a4dd', 'packages'],
  node: ['#8fcf9b', 'Node’s own JavaScript'],
  native: ['#f2b36f', 'native code and the kernel'],
  collector: ['#e78a8a', 'garbage collector'],
};
const WIDTH = 1200;
const ROW = 18;
const MARGIN = 10;
const TITLE_HEIGHT = 30;
const LEGEND_HEIGHT = 34;
/** Narrower bars are left out: nobody could see them. */
const PIXELS_MIN = 0.6;
const PIXELS_PER_CHARACTER = 6.7;
const TEXT_PIXELS_MIN = 24;

/** All that was sampled, without the time in which the process waited. Same functions of one caller are one. */
export function framesOf(profile: CpuProfile): Frame {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const own = new Map<number, number>();
  for (const [index, id] of profile.samples.entries()) {
    // A sample is what ran until the next one.
    const microseconds = Math.max(0, profile.timeDeltas[index + 1] ?? 0);
    own.set(id, (own.get(id) ?? 0) + microseconds);
  }
  const root = newFrame('all', 'native', '');
  const called = new Set(profile.nodes.flatMap(({ children = [] }) => children));
  const walk = (node: ProfileNode, into: Frame): number => {
    const { functionName, url, lineNumber } = node.callFrame;
    if (functionName === '(idle)') return 0;
    let frame = into;
    if (functionName !== '(root)') {
      const key = `${functionName} ${url} ${lineNumber}`;
      frame = into.callees.get(key) ?? newFrame(nameOf(node), kindOf(node), placeOf(node));
      into.callees.set(key, frame);
    }
    const self = own.get(node.id) ?? 0;
    let total = self;
    for (const id of node.children ?? []) total += walk(byId.get(id)!, frame);
    frame.selfMicroseconds += self;
    if (frame !== into) frame.totalMicroseconds += total;
    return total;
  };
  for (const node of profile.nodes) {
    if (!called.has(node.id)) root.totalMicroseconds += walk(node, root);
  }
  return root;
}

function newFrame(name: string, kind: Kind, place: string): Frame {
  return { name, kind, place, selfMicroseconds: 0, totalMicroseconds: 0, callees: new Map() };
}

function nameOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (functionName === '(program)') return 'native code, kernel';
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (functionName !== '') return functionName;
  return url === '' ? '(anonymous)' : `(anonymous) ${basename(url)}`;
}

function kindOf({ callFrame: { functionName, url } }: ProfileNode): Kind {
  if (functionName === '(garbage collector)') return 'collector';
  if (url === '') return 'native';
  if (url.startsWith('node:')) return 'node';
  return url.includes('/node_modules/') ? 'packages' : 'ours';
}

function placeOf({ callFrame: { url, lineNumber } }: ProfileNode): string {
  return url === '' ? '' : `${url.replace(/^.*\/(dist|node_modules)\//, '')}:${lineNumber + 1}`;
}

/** Microseconds on whose stack stands a function of a place that matches. */
export function within(frame: Frame, place: RegExp): number {
  if (place.test(frame.place)) return frame.totalMicroseconds;
  let microseconds = 0;
  for (const callee of frame.callees.values()) microseconds += within(callee, place);
  return microseconds;
}

export function flameGraph(profile: CpuProfile, title: string): string {
  const root = framesOf(profile);
  const all = Math.max(1, root.totalMicroseconds);
  const scale = (WIDTH - 2 * MARGIN) / all;
  const depth = depthOf(root, scale);
  const height = TITLE_HEIGHT + depth * ROW + LEGEND_HEIGHT;
  const bars: string[] = [];
  const draw = (frame: Frame, x: number, level: number): void => {
    const width = frame.totalMicroseconds * scale;
    if (width < PIXELS_MIN) return;
    const y = TITLE_HEIGHT + (depth - 1 - level) * ROW;
    const share = `${((frame.totalMicroseconds / all) * 100).toFixed(1)} %`;
    const own = `${((frame.selfMicroseconds / all) * 100).toFixed(1)} % itself`;
    const place = frame.place === '' ? '' : `, ${frame.place}`;
    const text = clipped(frame.name, width);
    bars.push(
      `<g><title>${escaped(`${frame.name}${place}: ${share}, ${own}`)}</title>` +
        `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(width - 0.3, 0.3).toFixed(1)}" height="${ROW - 1}" fill="${KINDS[frame.kind][0]}"/>` +
        (text === '' ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + 13}">${escaped(text)}</text>`) +
        '</g>',
    );
    let left = x;
    for (const callee of inOrder(frame)) {
      draw(callee, left, level + 1);
      left += callee.totalMicroseconds * scale;
    }
  };
  let x = MARGIN;
  for (const frame of inOrder(root)) {
    draw(frame, x, 0);
    x += frame.totalMicroseconds * scale;
  }
  let at = MARGIN;
  const legend = Object.entries(KINDS).map(([kind, [colour, meaning]]) => {
    const text = `${meaning}: ${((selfOf(root, kind as Kind) / all) * 100).toFixed(1)} %`;
    const [left, y] = [at, height - 20];
    at += 44 + text.length * PIXELS_PER_CHARACTER;
    return (
      `<rect x="${left}" y="${y}" width="12" height="12" fill="${colour}"/>` +
      `<text x="${left + 17}" y="${y + 10}">${escaped(text)}</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
<style>text{font:11px ui-monospace,monospace;fill:#1c2126}text.title{font:600 14px system-ui,sans-serif}g:hover rect{stroke:#1c2126}</style>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text class="title" x="${MARGIN}" y="20">${escaped(title)}</text>
${bars.join('\n')}
${legend.join('\n')}
</svg>
`;
}

/** What ran itself, by kind. */
export function selfOf(frame: Frame, kind: Kind): number {
  let sum = frame.kind === kind ? frame.selfMicroseconds : 0;
  for (const callee of frame.callees.values()) sum += selfOf(callee, kind);
  return sum;
}

/** The functions that ran longest themselves, wherever they were called from. */
export function hottest(root: Frame, count: number): { name: string; place: string; share: number }[] {
  const sums = new Map<string, { name: string; place: string; share: number }>();
  const walk = (frame: Frame): void => {
    const key = `${frame.name} ${frame.place}`;
    const one = sums.get(key) ?? { name: frame.name, place: frame.place, share: 0 };
    one.share += frame.selfMicroseconds / Math.max(1, root.totalMicroseconds);
    sums.set(key, one);
    for (const callee of frame.callees.values()) walk(callee);
  };
  walk(root);
  return [...sums.values()].sort((one, other) => other.share - one.share).slice(0, count);
}

function inOrder(frame: Frame): Frame[] {
  return [...frame.callees.values()].sort((one, other) => other.totalMicroseconds - one.totalMicroseconds);
}

function depthOf(frame: Frame, scale: number): number {
  let deepest = 0;
  for (const callee of frame.callees.values()) {
    if (callee.totalMicroseconds * scale >= PIXELS_MIN)
      deepest = Math.max(deepest, 1 + depthOf(callee, scale));
  }
  return deepest;
}

function clipped(text: string, width: number): string {
  if (width < TEXT_PIXELS_MIN) return '';
  const room = Math.floor((width - 6) / PIXELS_PER_CHARACTER);
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [from, to, title = 'CPU profile'] = process.argv.slice(2);
  if (from === undefined || to === undefined) throw new Error('which profile, and where to?');
  writeFileSync(to, flameGraph(JSON.parse(readFileSync(from, 'utf8')), title));
}
