/** Transmission's daemon. It takes the torrent from a watched folder and refuses peers on 127/8. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../../needs.ts';
import { type ClientKind, PEER_PORT } from './torrent-client.ts';

export const transmission: ClientKind = {
  name: 'transmission',
  need: program('transmission-daemon', 'transmission-daemon'),
  start(host, { downloads, torrentPath, state }) {
    const watched = join(state, 'watched');
    mkdirSync(watched);
    copyFileSync(torrentPath, join(watched, 'shared.torrent'));
    const settings = {
      'dht-enabled': false,
      'lpd-enabled': false,
      'pex-enabled': false,
      'port-forwarding-enabled': false,
      'utp-enabled': false, // over IPv6 it wants a default route, and waits long before it tries TCP
      'peer-port': PEER_PORT,
      'download-dir': downloads,
      'incomplete-dir-enabled': false,
      'rename-partial-files': false,
      'watch-dir': watched,
      'watch-dir-enabled': true,
      'rpc-enabled': false,
      'blocklist-enabled': false,
    };
    writeFileSync(join(state, 'settings.json'), JSON.stringify(settings));
    return host.spawn('transmission-daemon', ['--foreground', '--config-dir', state, '--log-debug'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  },
};
