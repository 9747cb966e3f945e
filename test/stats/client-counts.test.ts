import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientCounts } from '../../src/stats/client-counts.ts';
import { CLIENT_FAMILIES } from '../../src/stats/client-families.ts';

function counted(...peerIds: readonly string[]): ClientCounts {
  const counts = new ClientCounts();
  for (const peerId of peerIds) counts.count(Buffer.from(peerId.padEnd(20, 'x'), 'latin1'));
  return counts;
}

const familyOf = (peerId: string): string =>
  counted(peerId).lastHour.find(({ announces }) => announces > 0)!.family;

describe('clients by family', () => {
  for (const [peerId, family] of [
    ['-qB4500-', 'qBittorrent'],
    ['-TR4050-', 'Transmission'],
    ['-UT355W-', 'µTorrent'],
    ['-UM1870-', 'µTorrent'],
    ['-DE211s-', 'Deluge'],
    ['-LT20B0-', 'libtorrent'],
    ['-lt0D80-', 'rTorrent'],
    ['-BT7a5S-', 'BitTorrent'],
    ['M7-10-3--', 'BitTorrent'],
    ['A2-1-36-0-', 'aria2'],
    ['-WW0102-', 'WebTorrent'],
    ['T03I-----', 'BitTornado'],
    ['exbc\x00\x7f', 'BitComet'],
  ] as const) {
    it(`takes ${JSON.stringify(peerId)} for ${family}`, () => assert.equal(familyOf(peerId), family));
  }

  for (const peerId of ['-<b>x-', '\xff\xfe\x00', '-\xe9\xe9-', '', '--------', '-Qb450']) {
    it(`takes ${JSON.stringify(peerId)} for other, and shows nothing of it`, () => {
      assert.equal(familyOf(peerId), 'other');
      assert.ok(!JSON.stringify(counted(peerId).lastHour).includes(peerId.slice(1, 3) || '\u0000'));
    });
  }

  it('are counted, the largest first and other last, with their shares', () => {
    const counts = counted('-qB4500-', '-TR4050-', '-TR3000-', '????', '-TR4051-');
    assert.deepEqual(counts.lastHour, [
      { family: 'Transmission', announces: 3, share: 0.6 },
      { family: 'qBittorrent', announces: 1, share: 0.2 },
      { family: 'other', announces: 1, share: 0.2 },
    ]);
  });

  it('are none before the first announce', () => {
    assert.deepEqual(new ClientCounts().lastHour, []);
  });

  it('are forgotten after an hour, minute by minute', () => {
    const counts = counted('-qB4500-');
    counts.endMinute();
    counts.count(Buffer.from('-TR4050-xxxxxxxxxxxx'));
    for (let minute = 1; minute < 60; minute++) counts.endMinute();
    assert.deepEqual(
      counts.lastHour.map(({ family }) => family),
      ['qBittorrent', 'Transmission', 'other'],
    );
    counts.endMinute();
    assert.deepEqual(counts.lastHour[0], { family: 'Transmission', announces: 1, share: 1 });
    counts.endMinute();
    assert.deepEqual(counts.lastHour, []);
  });

  it('are named up to twelve, and the rest is other', () => {
    const prefixes = ['qB', 'TR', 'UT', 'DE', 'LT', 'lt', 'BT', 'AZ', 'BI', 'BC', 'KT', 'TX', 'WW', 'XL'];
    const peerIds = prefixes.flatMap((prefix, index) => new Array(20 - index).fill(`-${prefix}1000-`));
    const shown = counted(...peerIds).lastHour;
    assert.equal(shown.length, 13);
    assert.deepEqual(shown.at(-1), { family: 'other', announces: 8 + 7, share: 0.0794 });
    assert.equal(
      shown.reduce((sum, { announces }) => sum + announces, 0),
      peerIds.length,
    );
  });

  it('have no family twice', () => {
    assert.equal(new Set(CLIENT_FAMILIES).size, CLIENT_FAMILIES.length);
    assert.ok(CLIENT_FAMILIES.length > 25);
  });
});
