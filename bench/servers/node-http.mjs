// A floor: node:http with one prepared reply, as long as an announce's with 50 peers.
//   node node-http.mjs PORT
import { createServer } from 'node:http';
import { BODY } from './reply.mjs';

createServer({ noDelay: true }, (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length });
  response.end(BODY);
}).listen(Number(process.argv[2]), '127.0.0.1');
