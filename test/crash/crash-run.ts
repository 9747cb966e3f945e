/**
 * One tracker after the other on one store, each put under load and ended, most of them killed at a chosen moment;
 * and after each end a look at what the next one knows. Says what was lost, and what must never be: more than is
 * promised, a peer or completion that nobody told of, a ban that is gone, damage in the store.
 */
import type { S3Process } from '../builders/s3-process.ts';
import { PASS, type S3Proxy, startS3Proxy } from '../builders/s3-proxy.ts';
import { type Cleanup, startTracker, type TrackerProcess } from '../builders/tracker-process.ts';
import { isReady, statistics } from '../end-to-end/tracker-requests.ts';
import { waitUntil } from '../end-to-end/wait-until.ts';
import { BanLoad } from './ban-load.ts';
import { Ledger } from './ledger.ts';
import { Crowd, Load } from './load.ts';
import { ADMIN_TOKEN, lookAtBans, lookAtSwarm, refusalOf } from './look.ts';
import { type PointName, pause, Trap } from './points.ts';
import { Lateness, NOTHING_LOST, type Promised, promiseAt } from './promise.ts';

const SWARMS = 8;
/** Two writers' words about one peer in one second count by what they say, and not by their order (rule D-J2). */
const SAME_SECOND_MS = 1_100;
/** A moment that has not come by then does not come in this round. */
const POINT_MS_MAX = 20_000;
const SLOW_STORE_MS_MAX = 1_200;
const TERM_LOAD_MS_MAX = 1_500;

export interface CrashRunOptions {
  readonly s3: S3Process;
  /** Below which the store lies; nobody else's. */
  readonly prefix: string;
  readonly journalSeconds: number;
  /** How long the store holds the put of the journal at which a tracker is killed. */
  readonly holdMsMax: number;
  /** Uniform 32-bit integers. */
  readonly random: () => number;
}

/** What one end of a tracker has cost. */
export interface Round {
  readonly point: PointName | 'sigterm';
  /** Whether the tracker was at the named point when it was killed. */
  readonly isHit: boolean;
  readonly acknowledged: number;
  readonly announcesLost: number;
  readonly secondsLost: number;
  readonly promise: Promised;
  /** What must not be. */
  readonly wrong: readonly string[];
}

interface Kill {
  readonly atMs: number;
  readonly promise: Promised;
}

interface End {
  readonly point: Round['point'];
  readonly isHit: boolean;
  readonly acknowledged: number;
  readonly atMs: number;
  /** When the last of its answers was read, which may be after its end. */
  readonly overMs: number;
  readonly promise: Promised;
  readonly wrong: readonly string[];
}

export class CrashRun {
  readonly #options: CrashRunOptions;
  readonly #proxy: S3Proxy;
  readonly #ledger: Ledger;
  readonly #crowd = new Crowd();
  /** Since the table was last looked at. */
  #ends: End[] = [];
  #cleanups: (() => unknown)[] = [];
  /** When the load began. */
  #loadedMs = 0;
  readonly #hits = new Map<PointName, number>();

  static async start(options: CrashRunOptions): Promise<CrashRun> {
    return new CrashRun(options, await startS3Proxy(options.s3.environment(options.prefix)));
  }

  private constructor(options: CrashRunOptions, proxy: S3Proxy) {
    this.#options = options;
    this.#proxy = proxy;
    const hashes = Array.from({ length: SWARMS }, () =>
      Uint8Array.from({ length: 20 }, () => options.random() & 0xff),
    );
    this.#ledger = new Ledger(hashes);
  }

  /** Peers in the store's table, as the ledger knows them. */
  get peers(): number {
    return this.#ledger.swarms
      .flatMap(({ peers }) => [...peers.values()])
      .filter(({ state }) => state !== 'absent').length;
  }

  /** Starts a tracker, looks at what it knows, puts it under load and kills it at the point. */
  async kill(point: PointName): Promise<readonly Round[]> {
    if (point === 'restore') {
      await this.#killRestoring();
      return [];
    }
    const { tracker, rounds } = await this.#startAndLook();
    const { trap, killed } = this.#setTrap(tracker, point);
    const load = new Load(this.#crowd, { ledger: this.#ledger, random: this.#options.random });
    const bans = new BanLoad(this.#ledger, this.#options.random);
    const lateness = new Lateness();
    this.#loadedMs = performance.now();
    const loads = [load.run(tracker.port), bans.run(tracker, point === 'fold' ? 0 : 400)];
    await pause(this.#below(1_000));
    trap.arm();
    await this.#provoke(tracker, point, killed);
    await Promise.all(loads);
    await this.#end(point, await killed, trap, load, lateness);
    return rounds;
  }

  /** A tracker that is killed while it restores, under the load of peers that the store knows nothing of. */
  async #killRestoring(): Promise<void> {
    const tracker = await this.#start();
    const { trap, killed } = this.#setTrap(tracker, 'restore');
    const load = new Load(this.#crowd, {
      ledger: this.#ledger,
      random: this.#options.random,
      isFreshOnly: true,
    });
    const lateness = new Lateness();
    const isListening = await Promise.race([
      tracker.logged('listening').then(({ port }) => port as number),
      killed.then(() => 0),
    ]).catch(() => 0);
    this.#loadedMs = performance.now();
    const loads = isListening === 0 ? undefined : load.run(isListening);
    await this.#provoke(tracker, 'restore', killed);
    await loads;
    await this.#end('restore', await killed, trap, load, lateness);
  }

  /** Starts a tracker and ends it with a SIGTERM, with a store that takes its time and clients that do not stop. */
  async terminate(): Promise<readonly Round[]> {
    const { random } = this.#options;
    const { tracker, rounds } = await this.#startAndLook();
    const load = new Load(this.#crowd, { ledger: this.#ledger, random });
    const bans = new BanLoad(this.#ledger, random);
    const loads = [load.run(tracker.port), bans.run(tracker, 400)];
    await pause(this.#below(TERM_LOAD_MS_MAX));
    this.#proxy.decide = async () => {
      await pause(this.#below(SLOW_STORE_MS_MAX));
      return PASS;
    };
    const startMs = performance.now();
    const exit = await tracker.stop();
    const atMs = performance.now();
    await Promise.all(loads);
    await this.#settleStore();
    this.#ends.push({
      point: 'sigterm',
      isHit: true,
      acknowledged: load.acknowledged,
      atMs,
      overMs: performance.now(),
      promise: NOTHING_LOST,
      wrong: [
        ...load.wrong,
        ...(exit.code === 0 ? [] : [`exit ${exit.code ?? exit.signal} after SIGTERM`]),
        ...(atMs - startMs < 30_000 ? [] : [`ended ${Math.round(atMs - startMs)} ms after SIGTERM`]),
      ],
    });
    return rounds;
  }

  /** How often trackers were killed at the point, looked at or not. */
  hitsOf(point: PointName): number {
    return this.#hits.get(point) ?? 0;
  }

  /** A last look. */
  async finish(): Promise<readonly Round[]> {
    const { tracker, rounds } = await this.#startAndLook();
    await tracker.kill();
    await this.#settleStore();
    return rounds;
  }

  async close(): Promise<void> {
    await this.#cleanUp();
    await this.#proxy.close();
  }

  async #start(): Promise<TrackerProcess> {
    await this.#cleanUp();
    const context: Cleanup = { after: (cleanup) => void this.#cleanups.push(cleanup as () => unknown) };
    this.#proxy.decide = () => PASS;
    return startTracker(context, {
      environment: {
        ...this.#proxy.environment,
        ADMIN_TOKEN,
        TRUST_PROXY: '1',
        NUMWANT_MAX: '1000',
        MAX_PEERS: '100000',
        ...(this.#options.journalSeconds > 0 && { JOURNAL_SECONDS: String(this.#options.journalSeconds) }),
        SNAPSHOT_CRON: '* * * * * *',
        SNAPSHOT_KEEP: '2',
      },
      isStarting: true,
    });
  }

  async #startAndLook(): Promise<{ tracker: TrackerProcess; rounds: readonly Round[] }> {
    const starting = await this.#start();
    const { port } = await starting.logged('listening');
    const tracker: TrackerProcess = { ...starting, port: port as number };
    await waitUntil(
      'the tracker is ready',
      () => isReady(tracker),
      () => JSON.stringify(tracker.log),
    );
    const rounds = await this.#look(tracker);
    const last = this.#ends.at(-1)?.atMs;
    this.#ends = [];
    if (last !== undefined) await pause(Math.max(0, last + SAME_SECOND_MS - performance.now()));
    return { tracker, rounds };
  }

  /** Each announce that is lost was lost at the first end after its acknowledgement. */
  async #look(tracker: TrackerProcess): Promise<readonly Round[]> {
    const seen = await Promise.all(this.#ledger.swarms.map(({ infoHash }) => lookAtSwarm(tracker, infoHash)));
    const { lostMs, inventions } = this.#ledger.settle(seen);
    const wrong = [...inventions, ...(await this.#wrongBeside(tracker))];
    return this.#ends.map((end, index) => {
      const beforeMs = this.#ends[index - 1]?.overMs ?? 0;
      const lost = lostMs.filter((ackedMs) => ackedMs > beforeMs && ackedMs <= end.overMs);
      const secondsLost = lost.length === 0 ? 0 : Math.max(0, end.atMs - Math.min(...lost)) / 1_000;
      const { intervalSeconds, inFlightSeconds, lateSeconds } = end.promise;
      const secondsMax = intervalSeconds + inFlightSeconds + lateSeconds;
      const isTooMuch = lost.length > 0 && (end.point === 'sigterm' || secondsLost > secondsMax);
      const tooMuch = `lost ${lost.length} announces, the first ${secondsLost.toFixed(3)} s before the end; ${secondsMax.toFixed(3)} s are allowed`;
      return {
        ...end,
        announcesLost: lost.length,
        secondsLost,
        wrong: [
          ...end.wrong,
          ...(isTooMuch ? [tooMuch] : []),
          ...(index === this.#ends.length - 1 ? wrong : []),
        ],
      };
    });
  }

  /** What else must be so: counts that agree, bans, nothing damaged. */
  async #wrongBeside(tracker: TrackerProcess): Promise<string[]> {
    const wrong = this.#ledger.settleBans(await lookAtBans(tracker));
    const banned = [...this.#ledger.bans].find(([, { state }]) => state === 'banned');
    if (banned !== undefined && !/ban/.test((await refusalOf(tracker, Buffer.from(banned[0], 'hex'))) ?? ''))
      wrong.push(`an announce for ${banned[0]} is served`);
    const { peers } = await statistics(tracker);
    if (peers !== this.peers) wrong.push(`/stats.json has ${peers} peers, and its swarms ${this.peers}`);
    for (const line of tracker.log)
      if (/damaged/.test(line.message) || (typeof line.damaged === 'number' && line.damaged > 0))
        wrong.push(JSON.stringify(line));
    return wrong;
  }

  #setTrap(
    tracker: TrackerProcess,
    point: PointName,
  ): { readonly trap: Trap; readonly killed: Promise<Kill> } {
    let atMs = 0;
    let promise = NOTHING_LOST;
    const kill = (): void => {
      if (atMs > 0) return;
      atMs = performance.now();
      promise = promiseAt(atMs, { ...this.#options, ...this.#proxy, loadedMs: this.#loadedMs });
      tracker.signal('SIGKILL');
    };
    const killed = tracker.exited.then(() => ({ atMs, promise }));
    const trap = new Trap({ ...this.#options, point, kill, killed });
    this.#proxy.decide = (request) => trap.decide(request);
    return { trap, killed };
  }

  /** Brings the moment about, again and again until the tracker is gone. */
  async #provoke(tracker: TrackerProcess, point: PointName, killed: Promise<unknown>): Promise<void> {
    const startMs = performance.now();
    let isGone = false;
    const gone = killed.then(() => {
      isGone = true;
    });
    while (!isGone) {
      if (performance.now() - startMs > POINT_MS_MAX) tracker.signal('SIGKILL');
      else if (point === 'snapshot' || point === 'sweep') tracker.signal('SIGUSR1');
      else if (
        point === 'restore' &&
        tracker.log.some(({ message }) => message.startsWith('The restore has settled'))
      )
        tracker.signal('SIGKILL');
      await Promise.race([gone, pause(200 + this.#below(300))]);
    }
  }

  async #end(
    point: PointName,
    { atMs, promise }: Kill,
    trap: Trap,
    load: Load,
    lateness: Lateness,
  ): Promise<void> {
    await this.#settleStore();
    const isHit = trap.isSprung && atMs > 0;
    if (isHit) this.#hits.set(point, this.hitsOf(point) + 1);
    const lateSeconds = Math.max(lateness.end(), load.latestMs / 1_000);
    this.#ends.push({
      point,
      isHit,
      acknowledged: load.acknowledged,
      atMs: atMs > 0 ? atMs : performance.now(),
      overMs: performance.now(),
      promise: { ...promise, lateSeconds: promise.lateSeconds + lateSeconds },
      wrong: load.wrong,
    });
  }

  /** What was under way to the store has arrived or been dropped. */
  async #settleStore(): Promise<void> {
    const { requests } = this.#proxy;
    await waitUntil('the store has taken what was under way', () => requests.every(({ isOver }) => isOver));
    requests.length = 0;
  }

  async #cleanUp(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0)) await cleanup();
  }

  #below(end: number): number {
    return this.#options.random() % end;
  }
}
