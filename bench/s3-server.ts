/** An S3 server as a process of its own: prints the variables that lead a tracker to it, as one line of JSON. */
import { startS3Server } from '../test/builders/s3-server.ts';

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
