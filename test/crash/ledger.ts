/**
 * What trackers were told, and what they acknowledged: the measure of what a crash has cost. For each peer the
 * states it has been in since the table was last looked at, for each swarm the completions, for each ban its changes.
 *
 * A table that lost the last moments shows each peer as it was at some moment before them. What was acknowledged
 * after that moment is lost, and the loss reaches back to the first of it. A peer that shows as it never was is
 * invented, whatever the reason, and so is a completion more than were told.
 */

export type PeerState = 'absent' | 'leecher' | 'seeder';

/** Times are of `performance.now()`, in milliseconds. */
export interface Deed<State> {
  readonly state: State;
  readonly isCompletion: boolean;
  /** undefined: it was sent, and nobody knows what became of it. */
  ackedMs: number | undefined;
}

/** Something with a state that requests change one after the other: a peer, a ban. */
export class Thing<State> {
  /** As it was seen at last. */
  base: State;
  /** Since then, in order. */
  deeds: Deed<State>[] = [];

  constructor(base: State) {
    this.base = base;
  }

  /** As it is when all that was sent has arrived. */
  get state(): State {
    return this.deeds.at(-1)?.state ?? this.base;
  }

  send(state: State, isCompletion = false): Deed<State> {
    const deed: Deed<State> = { state, isCompletion, ackedMs: undefined };
    this.deeds.push(deed);
    return deed;
  }

  /** The acknowledged deeds that `seen` knows nothing of; undefined when it never was so. From now on it is so. */
  settle(seen: State): readonly Deed<State>[] | undefined {
    const { deeds } = this;
    const last = deeds.findLastIndex(({ state }) => state === seen);
    const isPossible = last >= 0 || this.base === seen;
    this.base = seen;
    this.deeds = [];
    return isPossible ? deeds.slice(last + 1).filter(({ ackedMs }) => ackedMs !== undefined) : undefined;
  }
}

export class LedgerPeer extends Thing<PeerState> {
  readonly number: number;
  /** Its address and port, as a reply has them, in hexadecimal. */
  readonly endpoint: string;
  /** Whether it has ever told of a completion: it will not again, so that every one of them counts. */
  hasCompleted = false;

  constructor(number: number, endpoint: string) {
    super('absent');
    this.number = number;
    this.endpoint = endpoint;
  }
}

export interface LedgerSwarm {
  readonly infoHash: Uint8Array;
  readonly peers: Map<string, LedgerPeer>;
  completed: number;
}

/** One swarm as a tracker tells of it. */
export interface SeenSwarm {
  readonly peers: ReadonlyMap<string, PeerState>;
  readonly complete: number;
  readonly incomplete: number;
  readonly completed: number;
}

export interface Finding {
  /** When each of the announces and completions was acknowledged that are gone. */
  readonly lostMs: readonly number[];
  /** What must not be at all, however long ago: peers and completions that nobody told of. */
  readonly inventions: readonly string[];
}

export class Ledger {
  readonly swarms: readonly LedgerSwarm[];
  readonly bans = new Map<string, Thing<'banned' | 'free'>>();

  constructor(infoHashes: readonly Uint8Array[]) {
    this.swarms = infoHashes.map((infoHash) => ({ infoHash, peers: new Map(), completed: 0 }));
  }

  /** What is gone, by what was seen. From now on what was seen is the truth. */
  settle(seen: readonly SeenSwarm[]): Finding {
    const inventions: string[] = [];
    const lostMs: number[] = [];
    for (const [index, swarm] of this.swarms.entries()) {
      const { peers, complete, incomplete, completed } = seen[index]!;
      const name = Buffer.from(swarm.infoHash).toString('hex').slice(0, 8);
      const states = [...peers.values()];
      const seeders = states.filter((state) => state === 'seeder').length;
      if (complete !== seeders || incomplete !== states.length - seeders)
        inventions.push(
          `swarm ${name} counts ${complete}+${incomplete} and lists ${seeders}+${states.length - seeders}`,
        );
      for (const endpoint of peers.keys())
        if (!swarm.peers.has(endpoint))
          inventions.push(`swarm ${name} has peer ${endpoint} that never announced`);
      const told: Deed<PeerState>[] = [];
      for (const peer of swarm.peers.values()) {
        told.push(...peer.deeds.filter(({ isCompletion }) => isCompletion));
        const was = `${peer.base}, then ${peer.deeds.map(({ state, ackedMs }) => `${state}${ackedMs === undefined ? '?' : ''}`).join(', ') || 'nothing'}`;
        const state = peers.get(peer.endpoint) ?? 'absent';
        const deeds = peer.settle(state);
        if (deeds === undefined)
          inventions.push(`swarm ${name} has peer ${peer.endpoint} as ${state}; it was ${was}`);
        else lostMs.push(...deeds.map(({ ackedMs }) => ackedMs!));
      }
      lostMs.push(...lostCompletions(swarm, completed, told));
      if (completed > swarm.completed + told.length)
        inventions.push(
          `swarm ${name} counts ${completed} completions; it was ${swarm.completed}, and ${told.length} were told`,
        );
      swarm.completed = completed;
    }
    return { lostMs, inventions };
  }

  /** What is seen otherwise than it was told; nothing when all that was sent has arrived everywhere. */
  differences(seen: readonly SeenSwarm[]): string[] {
    return this.swarms.flatMap((swarm, index) => {
      const { peers, completed } = seen[index]!;
      const told = [...swarm.peers.values()];
      const completions = told.flatMap(({ deeds }) =>
        deeds.filter(({ isCompletion }) => isCompletion),
      ).length;
      const differing = told
        .map(({ endpoint, state }) => ({ endpoint, state, isSeenAs: peers.get(endpoint) ?? 'absent' }))
        .filter(({ state, isSeenAs }) => state !== isSeenAs)
        .map(({ endpoint, state, isSeenAs }) => `swarm ${index}: ${endpoint} is ${isSeenAs}, not ${state}`);
      if (completed !== swarm.completed + completions)
        differing.push(`swarm ${index}: ${completed} completions, not ${swarm.completed + completions}`);
      return differing;
    });
  }

  /** Bans that are not as they were acknowledged: there must be none. */
  settleBans(banned: ReadonlySet<string>): string[] {
    const wrong: string[] = [];
    for (const hash of banned) if (!this.bans.has(hash)) wrong.push(`nobody has banned ${hash}`);
    for (const [hash, ban] of this.bans) {
      const was = ban.state;
      const state = banned.has(hash) ? 'banned' : 'free';
      const lost = ban.settle(state);
      if (lost === undefined || lost.length > 0) wrong.push(`${hash} is ${state} and was ${was}`);
    }
    return wrong;
  }
}

/** When the newest completions were acknowledged that the count is short of. */
function lostCompletions(swarm: LedgerSwarm, counted: number, told: readonly Deed<PeerState>[]): number[] {
  const acked = told.flatMap(({ ackedMs }) => ackedMs ?? []).sort((a, b) => b - a);
  return acked.slice(0, Math.max(0, swarm.completed + acked.length - counted));
}
