/**
 * An S3 server as a process of its own: prints the variables that lead a tracker to it, as one line of JSON. At each
 * SIGUSR2 it prints how many requests came since the last one, and when the first of them began.
 */
import { subscribe } from 'node:diagnostics_channel';
import { startS3Server } from '../test/builders/s3-server.ts';

let requests = 0;
let firstMs: number | null = null;
subscribe('http.server.request.start', () => {
  requests += 1;
  firstMs ??= Date.now();
});
process.on('SIGUSR2', () => {
  console.log(JSON.stringify({ requests, firstMs }));
  requests = 0;
  firstMs = null;
});

const server = await startS3Server();
const { bucket, prefix, region, endpoint, credentials } = server.address('bench/');
console.log(
  JSON.stringify({
    STORE_URL: `s3://${bucket}/${prefix}`,
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
  }),
);
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
