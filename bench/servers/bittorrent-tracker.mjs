// npm's bittorrent-tracker with HTTP alone, from the folder that it was fetched into.
//   node bittorrent-tracker.mjs PORT FOLDER
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [port, folder] = process.argv.slice(2);
const program = join(folder, 'node_modules', 'bittorrent-tracker', 'server.js');
const { default: Server } = await import(pathToFileURL(program).href);
const server = new Server({ http: true, udp: false, ws: false, stats: false, trustProxy: true });
server.on('warning', () => {});
server.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1');
