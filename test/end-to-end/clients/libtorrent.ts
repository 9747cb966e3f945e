/** libtorrent, the engine of qBittorrent and Deluge, driven by libtorrent.py through Debian's own Python. */
import { fileURLToPath } from 'node:url';
import { pythonModule } from '../../needs.ts';
import { type ClientKind, PEER_PORT } from './torrent-client.ts';

export const libtorrent: ClientKind = {
  name: 'libtorrent',
  need: pythonModule('libtorrent', 'python3-libtorrent'),
  start(host, { downloads, torrentPath }) {
    const script = fileURLToPath(new URL('libtorrent_client.py', import.meta.url));
    const interfaces = `${host.ipv4}:${PEER_PORT},[${host.ipv6}]:${PEER_PORT}`;
    return host.spawn('/usr/bin/python3', ['-u', script, torrentPath, downloads, interfaces], {
      stdio: ['pipe', 'pipe', 'pipe'], // it ends when its standard input does
    });
  },
};
