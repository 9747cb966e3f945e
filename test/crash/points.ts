/**
 * The moments at which a tracker is killed: a named point is a request that the store's proxy sees, and the kill
 * comes at that request, before it reaches the service, after, or a little later. A tracker notices nothing
 * between two requests that could tell more of these moments apart.
 */
import { type Fault, PASS, type SeenRequest, SILENT } from '../builders/s3-proxy.ts';

export type PointName = 'snapshot' | 'journal' | 'slow journal' | 'restore' | 'sweep' | 'fold' | 'anywhere';

export const POINTS: readonly PointName[] = [
  'snapshot',
  'journal',
  'slow journal',
  'restore',
  'sweep',
  'fold',
  'anywhere',
];

const RESTORE_HOLD_MS_MAX = 400;
const LATER_MS_MAX = 30;
/** A change of one ban is smaller, and what a hundred of them are folded into is larger. */
const FOLD_BYTES_MIN = 800;
const ANYWHERE_MS_MAX = 2_500;
/** Each put of a slow journal takes between half of this and all of it. */
const SLOW_PUT_MS_MAX = 1_500;
const SLOW_MS_MIN = 3_000;

export interface TrapOptions {
  readonly point: PointName;
  /** How long a put of the journal is held before the kill. */
  readonly holdMsMax: number;
  /** Uniform 32-bit integers. */
  readonly random: () => number;
  /** SIGKILL, now. */
  readonly kill: () => void;
  /** Resolves when the tracker is gone. */
  readonly killed: Promise<unknown>;
}

/** Waits for one moment; of what comes before and after it lets everything pass. */
export class Trap {
  readonly #options: TrapOptions;
  /** Matching requests that it lets pass before. */
  #skips: number;
  isSprung = false;
  /** Set off it does nothing until the tracker is at work. */
  isArmed: boolean;

  constructor(options: TrapOptions) {
    this.#options = options;
    const { point } = options;
    this.#skips =
      point === 'sweep' || point === 'fold' || point === 'restore' ? this.#below(4) : this.#below(2);
    this.isArmed = point === 'restore';
  }

  /** For the moments that no request tells of. */
  arm(): void {
    this.isArmed = true;
    const { point } = this.#options;
    if (point === 'anywhere') setTimeout(() => this.#spring(), 100 + this.#below(ANYWHERE_MS_MAX));
    if (point === 'slow journal')
      setTimeout(() => this.#spring(), SLOW_MS_MIN + this.#below(ANYWHERE_MS_MAX));
  }

  decide(request: SeenRequest): Fault | Promise<Fault> {
    if (!this.isArmed || this.isSprung || !this.#isMeant(request)) return PASS;
    if (this.#options.point === 'slow journal') return this.#slowly();
    if (this.#skips > 0) {
      this.#skips -= 1;
      return PASS;
    }
    this.isSprung = true;
    return this.#killAt();
  }

  #isMeant({ verb, key, bytes }: SeenRequest): boolean {
    switch (this.#options.point) {
      case 'snapshot':
        return key.startsWith('snapshots/') && (verb === 'put' || verb === 'list');
      case 'journal':
      case 'slow journal':
        return verb === 'put' && key.startsWith('journal/');
      case 'restore':
        return verb === 'get' && !key.startsWith('access/');
      case 'sweep':
        return verb === 'delete' && !key.startsWith('access/');
      case 'fold':
        return (
          key.startsWith('access/') && (verb === 'delete' || (verb === 'put' && bytes >= FOLD_BYTES_MIN))
        );
      case 'anywhere':
        return false;
    }
  }

  async #slowly(): Promise<Fault> {
    await pause(SLOW_PUT_MS_MAX / 2 + this.#below(SLOW_PUT_MS_MAX / 2));
    return PASS;
  }

  async #killAt(): Promise<Fault> {
    const { point, holdMsMax, killed } = this.#options;
    if (point === 'journal') await pause(this.#below(holdMsMax));
    if (point === 'restore') await pause(this.#below(RESTORE_HOLD_MS_MAX));
    switch (this.#below(4)) {
      case 0: // it arrives after its writer's end
        this.#spring();
        await killed;
        return PASS;
      case 1: // it never arrives
        this.#spring();
        return SILENT;
      case 2: // it has arrived, and its writer does not know
        return {
          kind: 'pass',
          onDone: () => {
            this.#spring();
          },
        };
      default:
        return {
          kind: 'pass',
          onDone: () => {
            setTimeout(() => this.#spring(), this.#below(LATER_MS_MAX));
          },
        };
    }
  }

  #spring(): void {
    this.isSprung = true;
    this.#options.kill();
  }

  #below(end: number): number {
    return this.#options.random() % end;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
