// The image's health check: asks the tracker of this container whether it answers (/healthz) and exits with 0 or 1.
// Node does it, because the image has no curl. Reads PORT and HOST as the tracker does.
import { get } from 'node:http';

const { PORT, HOST } = process.env;
const isAnyAddress = !HOST || HOST === '::' || HOST === '0.0.0.0';
const request = get(
  { host: isAnyAddress ? '127.0.0.1' : HOST, port: PORT || 1337, path: '/healthz', timeout: 5_000 },
  (response) => process.exit(response.statusCode === 200 ? 0 : 1),
);
request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
request.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
