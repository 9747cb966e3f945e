import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { seededRandom } from '../builders/random.ts';
import { hashOf } from '../builders/requests.ts';
import { type S3Process, startS3Process } from '../builders/s3-process.ts';
import { type S3Proxy, startS3Proxy } from '../builders/s3-proxy.ts';
import { type Cleanup, startTracker, type TrackerProcess } from '../builders/tracker-process.ts';
import { Ledger, type LedgerPeer, type LedgerSwarm, type PeerState } from '../crash/ledger.ts';
import { announceOf, Crowd, Load } from '../crash/load.ts';
import { lookAtSwarm } from '../crash/look.ts';
import { ask, isReady } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

const ENVIRONMENT = { TRUST_PROXY: '1', NUMWANT_MAX: '1000', JOURNAL_SECONDS: '1' };
/** Two trackers' words about one peer in one second count by what they say, and not by their order (rule D-J2). */
const NEXT_SECOND_MS = 1_100;

let s3: S3Process;
before(async () => {
  s3 = await startS3Process();
});
after(() => s3.end());

/** A tracker, and the proxy by which it reaches the store: that tells what it asked of it, and when. */
interface Member {
  readonly tracker: TrackerProcess;
  readonly store: S3Proxy;
}

async function join(context: Cleanup, prefix: string): Promise<Member> {
  const store = await startS3Proxy(s3.environment(prefix));
  context.after(() => store.close());
  const tracker = await startTracker(context, { environment: { ...store.environment, ...ENVIRONMENT } });
  await waitUntil(
    'the tracker is ready',
    () => isReady(tracker),
    () => JSON.stringify(tracker.log),
  );
  return { tracker, store };
}

/** Announces, and waits for the answer. */
async function tell(
  { tracker }: Member,
  swarm: LedgerSwarm,
  peer: LedgerPeer,
  state: PeerState,
  event?: string,
): Promise<void> {
  const deed = peer.send(state, event === 'completed');
  const { target, headers } = announceOf(swarm, peer, state, event);
  const { status, body } = await ask(tracker, target, { headers });
  assert.equal(status, 200);
  assert.doesNotMatch(body.toString('latin1'), /failure reason/);
  deed.ackedMs = performance.now();
}

async function differences({ tracker }: Member, ledger: Ledger): Promise<string[]> {
  return ledger.differences(
    await Promise.all(ledger.swarms.map(({ infoHash }) => lookAtSwarm(tracker, infoHash))),
  );
}

/** Until every one of them knows all that any of them was told. */
async function untilAllAgree(members: readonly Member[], ledger: Ledger): Promise<void> {
  let differing: string[] = [];
  await waitUntil(
    'the trackers agree',
    async () => {
      differing = (await Promise.all(members.map((member) => differences(member, ledger)))).flat();
      return differing.length === 0;
    },
    () => differing.slice(0, 10).join('\n'),
  );
}

/** How often the member has looked for segments of others since then. */
function looksSince({ store }: Member, sinceMs: number): number {
  return store.requests.filter(
    ({ verb, key, cameMs }) => verb === 'list' && key.startsWith('journal/') && cameMs >= sinceMs,
  ).length;
}

describe('trackers on one store', { concurrency: true }, () => {
  it('three of them hold the same peers, while one is killed and another one joins', async (context) => {
    const ledger = new Ledger([hashOf(1), hashOf(2)]);
    const crowd = new Crowd();
    const [first, second, third] = (await Promise.all([1, 2, 3].map(() => join(context, 'several/')))) as [
      Member,
      Member,
      Member,
    ];
    const members = [first, second, third];
    const peers: [LedgerSwarm, LedgerPeer][] = [];
    const startPeers = async (at: readonly Member[], count: number): Promise<void> => {
      for (let number = 0; number < count; number++) {
        const swarm = ledger.swarms[number % 2]!;
        const peer = crowd.add(swarm);
        peers.push([swarm, peer]);
        await tell(at[number % at.length]!, swarm, peer, number % 5 === 0 ? 'seeder' : 'leecher', 'started');
      }
    };

    await startPeers(members, 30);
    const toldMs = performance.now();
    await untilAllAgree(members, ledger);
    context.diagnostic(`agreed after ${((performance.now() - toldMs) / 1_000).toFixed(1)} s`);
    for (const member of members) {
      // What was told goes out with the next segment, and the look that comes after it finds it.
      const written = members
        .filter((other) => other !== member)
        .map(({ store }) => store.requests.find(({ verb, doneMs }) => verb === 'put' && doneMs! >= toldMs));
      const lastMs = Math.max(...written.map((put) => put?.doneMs ?? toldMs));
      // One more may have begun before this test noticed that all agree.
      const looks = looksSince(member, lastMs);
      assert.ok(looks <= 3, `seen after ${looks} looks`);
    }

    // Told to another tracker than the one that knew the peer first.
    await new Promise((resolve) => setTimeout(resolve, NEXT_SECOND_MS));
    for (const [index, [swarm, peer]] of peers.entries()) {
      const member = members[(index + 1) % 3]!;
      if (index % 4 === 0) await tell(member, swarm, peer, 'absent', 'stopped');
      else if (index % 4 === 1 && peer.state === 'leecher')
        await tell(member, swarm, peer, 'seeder', 'completed');
      else await tell(member, swarm, peer, peer.state);
    }
    await untilAllAgree(members, ledger);

    await third.tracker.kill();
    const fourth = await join(context, 'several/');
    const others = [first, second, fourth];
    assert.deepEqual(await differences(fourth, ledger), [], 'who joins knows all when it is ready');
    await new Promise((resolve) => setTimeout(resolve, NEXT_SECOND_MS));
    await startPeers(others, 15);
    for (const [index, [swarm, peer]] of peers.slice(0, 12).entries())
      if (peer.state !== 'absent') await tell(others[index % 3]!, swarm, peer, 'absent', 'stopped');
    await untilAllAgree(others, ledger);
  });

  it('one that moves to another house under load loses nothing', async (context) => {
    const ledger = new Ledger([hashOf(3), hashOf(4), hashOf(5)]);
    const crowd = new Crowd();
    const random = seededRandom(5);
    const old = await join(context, 'moving/');
    const load = new Load(crowd, { ledger, random });
    const loads = load.run(old.tracker.port);
    await waitUntil('there are some peers', () => load.acknowledged > 500);
    const next = await join(context, 'moving/');
    // Clients have come to the new address before the old one is gone.
    const freshLoad = new Load(crowd, { ledger, random, isFreshOnly: true });
    const freshLoads = freshLoad.run(next.tracker.port);
    await waitUntil('both are at work', () => freshLoad.acknowledged > 200);
    const before = load.acknowledged;
    const exit = old.tracker.stop();
    assert.deepEqual(await exit, { code: 0, signal: null });
    await loads;
    freshLoad.end();
    await freshLoads;
    context.diagnostic(`${load.acknowledged - before} announces acknowledged while it stopped`);
    await untilAllAgree([next], ledger);
    const seen = await Promise.all(ledger.swarms.map(({ infoHash }) => lookAtSwarm(next.tracker, infoHash)));
    assert.deepEqual(ledger.settle(seen), { lostMs: [], inventions: [] });
    assert.deepEqual([...load.wrong, ...freshLoad.wrong], []);
  });
});
