// The lowest floor: a socket that answers whatever arrives with one prepared reply, read by nobody. A fresh connection
// is ended in the cheapest way there is, a write that the kernel takes at once and then `destroy`; `end` costs more.
//   node node-net.mjs PORT
import { createServer } from 'node:net';
import { BODY } from './reply.mjs';

const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n`;
const KEPT = Buffer.concat([Buffer.from(`${head}\r\n`), BODY]);
const CLOSING = Buffer.concat([Buffer.from(`${head}Connection: close\r\n\r\n`), BODY]);

createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.on('end', () => socket.destroy());
  socket.on('data', (chunk) => {
    if (!chunk.includes('Connection: close')) {
      socket.write(KEPT);
      return;
    }
    socket.write(CLOSING);
    if (socket.writableLength === 0) socket.destroy();
    else socket.end();
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
