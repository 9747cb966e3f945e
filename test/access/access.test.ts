import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Access, type ListName, Verdict } from '../../src/access/access.ts';
import { HASH_KEY, infoHash } from '../builders/swarm.ts';

const [BANNED, ALLOWED, BOTH, NEITHER] = [infoHash(1), infoHash(2), infoHash(3), infoHash(4)];

function makeAccess(mode: 'open' | 'allowlist', isByEnvironment: boolean): Access {
  const access = new Access({
    mode,
    hashKey: HASH_KEY,
    bannedByEnvironment: isByEnvironment ? [BANNED!, BOTH!] : [],
    allowedByEnvironment: isByEnvironment ? [ALLOWED!, BOTH!] : [],
    hashesMax: 100,
  });
  const add = (name: ListName, hash: Uint8Array): void => {
    const list = access.list(name);
    list.apply(hash, true, list.addChange(1, ''));
  };
  if (!isByEnvironment) {
    for (const hash of [BANNED!, BOTH!]) add('bans', hash);
    for (const hash of [ALLOWED!, BOTH!]) add('allowed', hash);
  }
  access.isLoaded = true;
  return access;
}

describe('access', () => {
  for (const isByEnvironment of [true, false]) {
    const where = isByEnvironment ? 'the environment' : 'the lists';

    it(`when open serves all but the banned of ${where}`, () => {
      const access = makeAccess('open', isByEnvironment);
      assert.deepEqual(
        [BANNED, ALLOWED, BOTH, NEITHER].map((hash) => access.verdict(hash!)),
        [Verdict.banned, Verdict.served, Verdict.banned, Verdict.served],
      );
    });

    it(`with an allow list serves only what is allowed and not banned by ${where}`, () => {
      const access = makeAccess('allowlist', isByEnvironment);
      assert.deepEqual(
        [BANNED, ALLOWED, BOTH, NEITHER].map((hash) => access.verdict(hash!)),
        [Verdict.banned, Verdict.served, Verdict.banned, Verdict.notAllowed],
      );
    });
  }

  it('before the lists are read: serves when open, and says so when there is an allow list; the environment holds', () => {
    for (const mode of ['open', 'allowlist'] as const) {
      const access = makeAccess(mode, true);
      access.isLoaded = false;
      assert.deepEqual(
        [BANNED, ALLOWED, NEITHER].map((hash) => access.verdict(hash!)),
        [Verdict.banned, Verdict.served, mode === 'open' ? Verdict.served : Verdict.notLoaded],
      );
    }
  });

  it('knows the hashes of the environment', () => {
    const access = makeAccess('open', true);
    assert.ok(access.isByEnvironment('bans', BANNED!));
    assert.ok(!access.isByEnvironment('bans', ALLOWED!));
    assert.deepEqual(access.byEnvironment('allowed'), [ALLOWED, BOTH]);
  });
});
