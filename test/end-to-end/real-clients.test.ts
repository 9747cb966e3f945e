import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import bencode from 'bencode';
import { createNetwork, type Host, type Network } from '../builders/network-namespace.ts';
import {
  type Cleanup,
  startTracker,
  type TrackerProcess,
  temporaryFolder,
} from '../builders/tracker-process.ts';
import { needingOnce, networkNamespaces } from '../needs.ts';
import { aria2 } from './clients/aria2.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { type ClientKind, startClient, type TorrentClient } from './clients/torrent-client.ts';
import { transmission } from './clients/transmission.ts';
import { fetchFrom } from './fetch-from.ts';
import { startRefusingListener } from './refusing-listener.ts';
import { hasContent, makeTorrent, type Torrent } from './torrent-file.ts';
import { waitUntil } from './wait-until.ts';

const KINDS = [transmission, aria2, libtorrent] as const;
const TRACKER_PORT = 6969; // in namespaces of our own every port is free
const NO_TRACKER_PORT = 6970;
const CONTENT_BYTES = 1_500_000;

const needs = needingOnce(import.meta.url, [networkNamespaces, ...KINDS.map((kind) => kind.need)]);

describe('real clients, each on a host of its own', { ...needs, concurrency: true }, () => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    it(`find each other over ${family} through the tracker alone, also after it was killed and started again`, async (context) => {
      const network = createNetwork();
      context.after(() => network.close());
      await tellTheStory(context, network, family);
    });
  }
});

async function tellTheStory(context: Cleanup, network: Network, family: 'ipv4' | 'ipv6'): Promise<void> {
  const folder = temporaryFolder(context);
  const { hub } = network;
  const hubAddress = family === 'ipv4' ? hub.ipv4 : `[${hub.ipv6}]`;
  const announceUrl = `http://${hubAddress}:${TRACKER_PORT}/announce`;
  const start = (kind: ClientKind, torrent: Torrent, isSeeder: boolean, host: Host = network.addHost()) =>
    startClient(kind, host, torrent, { parent: folder, isSeeder });

  // The run without a tracker goes on beside the other one for as long as that takes.
  const withoutTracker = startRefusingListener(hub, NO_TRACKER_PORT);
  const lostTorrent = makeTorrent(`http://${hubAddress}:${NO_TRACKER_PORT}/announce`, CONTENT_BYTES);
  const lostHosts = KINDS.map(() => network.addHost());
  const lost = KINDS.map((kind, i) => start(kind, lostTorrent, i === 0, lostHosts[i]));

  const environment = {
    PORT: String(TRACKER_PORT),
    STORE_URL: `file:${join(folder, 'store')}`,
    SNAPSHOT_CRON: NEVER,
  };
  let tracker = await startTracker(context, { environment, spawn: hub.spawn });

  // Each kind of client seeds a torrent of its own, and the two others download it.
  const torrents = KINDS.map(() => makeTorrent(announceUrl, CONTENT_BYTES));
  const seeders = KINDS.map((kind, i) => start(kind, torrents[i]!, true));
  await waitUntil(
    'the tracker knows a seeder of each torrent',
    async () => (await scrapeAll(hub, tracker, torrents)).every(({ complete }) => complete === 1),
    () => [...seeders.map(lastWords), JSON.stringify(tracker.log.slice(-20))].join('\n'),
  );
  const downloaders = KINDS.flatMap((kind) =>
    torrents
      .filter((torrent) => torrent !== torrents[KINDS.indexOf(kind)])
      .map((torrent) => start(kind, torrent, false)),
  );
  await everyoneHasTheContent(downloaders);
  await waitUntil('both downloaders of each torrent have announced that they completed', async () =>
    (await scrapeAll(hub, tracker, torrents)).every(({ downloaded }) => downloaded === 2),
  );

  await tracker.save();
  assert.deepEqual(await tracker.kill(), { code: null, signal: 'SIGKILL' });
  tracker = await startTracker(context, { environment, spawn: hub.spawn });
  await waitUntil('the restarted tracker is ready', async () => {
    return (await fetchFrom(hub, `${tracker.origin}/readyz`)).status === 200;
  });

  const newcomers = torrents.map((torrent, i) => start(KINDS[(i + 1) % KINDS.length]!, torrent, false));
  await everyoneHasTheContent(newcomers);
  await waitUntil('each newcomer has announced that it completed', async () =>
    (await scrapeAll(hub, tracker, torrents)).every(({ downloaded }) => downloaded === 3),
  );
  assert.deepEqual(
    await announcesHeard(hub, tracker),
    { ipv4: 0, ipv6: 0, [family]: 2 * newcomers.length },
    'since the restart only the newcomers have announced: that they start and that they completed',
  );

  await waitUntil('each client without a tracker has tried to announce', () =>
    lostHosts.every((host) => withoutTracker.callers.has(host[family])),
  );
  for (const client of lost) {
    assert.ok(client.isRunning(), lastWords(client));
    assert.equal(
      hasContent(lostTorrent, client.downloads),
      client === lost[0],
      'without a tracker nobody downloads',
    );
  }
  assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
}

/** No save but those that the test asks for: 29 February. */
const NEVER = '0 0 29 2 *';

async function everyoneHasTheContent(clients: readonly TorrentClient[]): Promise<void> {
  const isWithout = (client: TorrentClient) => !hasContent(client.torrent, client.downloads);
  await waitUntil(
    'every downloader has the content, byte for byte',
    () => !clients.some(isWithout),
    () => clients.filter(isWithout).map(lastWords).join('\n'),
  );
}

interface ScrapeEntry {
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
}

async function scrapeAll(
  hub: Host,
  tracker: TrackerProcess,
  torrents: readonly Torrent[],
): Promise<ScrapeEntry[]> {
  const escaped = torrents.map(({ infoHash }) => infoHash.toString('hex').replace(/../g, '%$&'));
  const { body } = await fetchFrom(hub, `${tracker.origin}/scrape?info_hash=${escaped.join('&info_hash=')}`);
  // Keys of `files` are raw bytes, which the decoder has made text of: the order is what is left of them.
  const sorted = [...torrents].sort((one, other) => one.infoHash.compare(other.infoHash));
  const entries = Object.values(bencode.decode(body).files as Record<string, ScrapeEntry>);
  assert.equal(entries.length, torrents.length);
  return torrents.map((torrent) => entries[sorted.indexOf(torrent)]!);
}

/** Announces since the tracker's start, by family. */
async function announcesHeard(hub: Host, tracker: TrackerProcess): Promise<{ ipv4: number; ipv6: number }> {
  const { body } = await fetchFrom(hub, `${tracker.origin}/stats.json`);
  const { announcesIpv4, announcesIpv6 } = JSON.parse(body.toString()).requests;
  return { ipv4: announcesIpv4, ipv6: announcesIpv6 };
}

function lastWords(client: TorrentClient): string {
  return `--- ${client.kind.name}: ${client.downloads}\n${client.output().slice(-3_000)}`;
}
