import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '../../../src/persistence/store/store.ts';
import { announceTo, type PeerAnnounce } from '../../builders/announces.ts';
import { SimulatedTracker, type SimulatedTrackerOptions, turn } from '../../builders/simulated-tracker.ts';
import { MemoryStore } from '../../builders/store.ts';
import { infoHash, NOW } from '../../builders/swarm.ts';

const one: PeerAnnounce = {
  swarm: 1,
  peer: 1,
  isIpv6: false,
  event: 'none',
  left: 'some',
  hasOtherId: false,
};

class Scene {
  readonly shared = new MemoryStore();
  now = NOW;

  constructor() {
    this.shared.nowSeconds = () => this.now;
  }

  async start(boot: string, options: Partial<SimulatedTrackerOptions> = {}): Promise<SimulatedTracker> {
    const tracker = new SimulatedTracker({
      boot,
      shared: this.shared,
      trueSeconds: () => this.now,
      ...options,
    });
    await tracker.start();
    return tracker;
  }

  tell(tracker: SimulatedTracker, changes: Partial<PeerAnnounce> = {}): void {
    announceTo(tracker.tracker, { ...one, ...changes }, tracker.nowSeconds());
  }

  pass(seconds: number): void {
    this.now += seconds;
  }
}

describe('what one tracker hears', () => {
  it('is merged by another once, however many trackers have come and gone (rule D-J2)', async () => {
    const scene = new Scene();
    const survivor = await scene.start('survivor');
    for (let boot = 0; boot < 230; boot++) {
      const tracker = await scene.start(`boot${String(boot).padStart(4, '0')}`);
      scene.tell(tracker, { swarm: boot % 5, peer: boot, event: 'completed', left: 'zero' });
      await tracker.writeJournal();
      tracker.kill();
    }
    for (let look = 0; look < 3; look++) {
      scene.pass(61);
      await survivor.follow();
      assert.equal(survivor.table.totals.completed, 230);
    }
  });

  it('is merged over a gap once its writer has been silent for ten minutes, for then no snapshot will come', async () => {
    const scene = new Scene();
    const [writer, reader] = [await scene.start('writer01'), await scene.start('reader01')];
    for (let peer = 1; peer <= 3; peer++) {
      scene.tell(writer, { peer });
      await writer.writeJournal();
    }
    writer.kill();
    scene.shared.objects.delete('journal/writer01/0000000002');
    scene.pass(61);
    await reader.follow();
    assert.equal(reader.table.peers, 1, 'what comes after the gap waits for a snapshot');
    scene.pass(601);
    await reader.follow();
    assert.equal(reader.table.peers, 2);
    assert.match(reader.log.messages('warn').at(-1)!, /is gone left a gap/);
  });

  it('is made good by a snapshot of its writer where segments of it were dropped (rules D-J3, D-J4)', async () => {
    const scene = new Scene();
    const writer = await scene.start('writer01', { waitingBytesMax: 100 });
    const reader = await scene.start('reader01');
    scene.tell(writer, { peer: 1 });
    await writer.writeJournal();
    writer.view.isAway = true;
    for (let peer = 2; peer <= 9; peer++) {
      scene.tell(writer, { peer, event: 'completed', left: 'zero' });
      writer.journal.cut();
    }
    assert.ok(writer.saver.isOwed);
    writer.view.isAway = false;
    assert.equal((await writer.saver.save('journal')).kind, 'saved');
    assert.ok(!writer.saver.isOwed);
    scene.pass(61);
    await reader.follow();
    assert.equal(reader.table.peers, 9);
    assert.equal(reader.table.completed(reader.table.find(infoHash(1))), 8);
    assert.equal(reader.table.totals.completed, 8);
  });
});

describe('a tracker that starts anew', () => {
  it('knows who has stopped, so that what another stores late brings nobody back (rule D-S4)', async () => {
    const scene = new Scene();
    const [stopper, late] = [await scene.start('stopper1'), await scene.start('laggard1')];
    scene.tell(late, { peer: 2 });
    await late.writeJournal();
    await stopper.follow();
    scene.tell(late, { peer: 1 });
    scene.tell(stopper, { peer: 1 });
    scene.pass(5);
    scene.tell(stopper, { peer: 1, event: 'stopped' });
    assert.equal((await stopper.saver.save('schedule')).kind, 'saved');
    stopper.kill();
    const anew = await scene.start('starter1');
    assert.equal(anew.table.peers, 1);
    await late.writeJournal();
    await anew.follow();
    assert.equal(anew.table.peers, 1, 'the sighting of the one who stopped is older');
  });

  it('does not read again what its only predecessor wrote and the snapshot holds', async () => {
    const scene = new Scene();
    const predecessor = await scene.start('before01');
    scene.tell(predecessor, { peer: 1 });
    scene.tell(predecessor, { peer: 2 });
    scene.tell(predecessor, { peer: 1, event: 'stopped' });
    assert.equal((await predecessor.saver.save('schedule')).kind, 'saved');
    predecessor.kill();
    assert.deepEqual(scene.shared.keys('journal/'), ['journal/before01/0000000001']);
    scene.shared.calls.length = 0;
    const anew = await scene.start('starter1');
    assert.equal(anew.table.peers, 1);
    const reads = scene.shared.calls.filter(({ verb, key }) => verb === 'get' && key.startsWith('journal/'));
    assert.deepEqual(reads, []);
  });
});

describe('a tracker that is told to end', () => {
  it('gives up a put that hangs, and puts the same bytes again', async (context) => {
    const scene = new Scene();
    const tracker = await scene.start('writer01');
    scene.tell(tracker);
    let isHanging = true;
    scene.shared.hook = async ({ verb }) => {
      if (verb !== 'put' || !isHanging) return;
      isHanging = false;
      await new Promise(() => {});
    };
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const closed = tracker.journal.close(new AbortController().signal);
    while (isHanging) await turn();
    context.mock.timers.tick(8_000);
    for (let pause = 0; pause < 3; pause++) {
      await turn();
      context.mock.timers.tick(1_000);
    }
    await closed;
    assert.deepEqual(scene.shared.keys('journal/'), ['journal/writer01/0000000001']);
    assert.equal(tracker.journal.status.bytesAtRisk, 0);
  });

  it('is not disturbed by a look for access changes that this ends', async () => {
    const scene = new Scene();
    const ending = new AbortController();
    const tracker = await scene.start('writer01', {
      refreshAccess: (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    scene.pass(61);
    const looked = tracker.follower.tick(ending.signal, true);
    ending.abort();
    await looked;
  });
});

describe('a save that fails', () => {
  it('leaves none of its parts behind, so that a store that is full has room for the journal', async () => {
    const scene = new Scene();
    const tracker = await scene.start('writer01');
    for (let peer = 0; peer < 2_000; peer++) scene.tell(tracker, { peer, swarm: peer % 7 });
    await tracker.writeJournal();
    let parts = 0;
    scene.shared.hook = ({ verb, key }) => {
      if (verb !== 'put' || !key.startsWith('snapshots/')) return;
      parts += 1;
      if (parts === 3) throw new StoreError('no-space', 'full');
    };
    assert.equal((await tracker.saver.save('signal')).kind, 'failed');
    assert.equal(parts, 3);
    assert.deepEqual(scene.shared.keys('snapshots/'), []);
  });
});
