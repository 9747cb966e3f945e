/** aria2, the command line client. With the content already there it checks it and seeds. */
import { program } from '../../needs.ts';
import { type ClientKind, PEER_PORT } from './torrent-client.ts';

export const aria2: ClientKind = {
  name: 'aria2',
  need: program('aria2c', 'aria2'),
  start(host, { downloads, torrentPath }) {
    const args = [
      '--no-conf=true',
      '--enable-dht=false',
      '--enable-dht6=false',
      '--bt-enable-lpd=false',
      '--enable-peer-exchange=false',
      '--check-integrity=true',
      '--file-allocation=none',
      '--seed-ratio=0.0', // seeds without end
      '--console-log-level=info',
      '--summary-interval=0',
      '--enable-color=false',
      `--stop-with-process=${process.pid}`,
      `--listen-port=${PEER_PORT}`,
      `--dir=${downloads}`,
      torrentPath,
    ];
    return host.spawn('aria2c', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  },
};
