// The lowest floor: a socket that answers whatever arrives with one prepared reply, read by nobody.
//   node node-net.mjs PORT
import { createServer } from 'node:net';
import { BODY } from './reply.mjs';

const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n`;
const KEPT = Buffer.concat([Buffer.from(`${head}\r\n`), BODY]);
const CLOSING = Buffer.concat([Buffer.from(`${head}Connection: close\r\n\r\n`), BODY]);

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    if (chunk.includes('Connection: close')) socket.end(CLOSING);
    else socket.write(KEPT);
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
