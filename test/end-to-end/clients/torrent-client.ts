/**
 * A real torrent client as the end-to-end tests use it: one process on a host of its own with a folder of its
 * own, that shares one torrent and knows of peers by its tracker alone (DHT, local discovery, peer exchange and
 * port mapping off). It seeds when the content already lies in its download folder, else it downloads, and
 * seeds after that. Each kind of client is one `ClientKind` in the file named after it.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../builders/network-namespace.ts';
import type { Need } from '../../needs.ts';
import { putContent, type Torrent } from '../torrent-file.ts';

/** Every client listens here; each has its own host. */
export const PEER_PORT = 6881;

export interface ClientFolders {
  /** Where the content comes to lie. */
  readonly downloads: string;
  readonly torrentPath: string;
  /** For configuration and state, empty at start. */
  readonly state: string;
}

export interface ClientKind {
  readonly name: string;
  readonly need: Need;
  start(host: Host, folders: ClientFolders): ChildProcess;
}

export interface TorrentClient {
  readonly kind: ClientKind;
  readonly torrent: Torrent;
  readonly downloads: string;
  /** The program's own words so far, for the message of a failed test. */
  output(): string;
  /** Whether the process still runs. */
  isRunning(): boolean;
}

/** Starts a client in new folders below `parent`; as a seeder it finds the content there. */
export function startClient(
  kind: ClientKind,
  host: Host,
  torrent: Torrent,
  options: { readonly parent: string; readonly isSeeder: boolean },
): TorrentClient {
  const folder = join(options.parent, `${kind.name}-${host.name}`);
  const folders = {
    downloads: join(folder, 'downloads'),
    torrentPath: join(folder, 'shared.torrent'),
    state: join(folder, 'state'),
  };
  mkdirSync(folders.downloads, { recursive: true });
  mkdirSync(folders.state);
  writeFileSync(folders.torrentPath, torrent.metainfo);
  if (options.isSeeder) putContent(torrent, folders.downloads);

  const child = kind.start(host, folders);
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return {
    kind,
    torrent,
    downloads: folders.downloads,
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
  };
}
