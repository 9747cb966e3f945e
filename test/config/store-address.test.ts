import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { readStoreAddress } from '../../src/config/store-address.ts';
import type { Environment } from '../../src/config/system.ts';
import { VariableReader } from '../../src/config/variable-reader.ts';

const bucketeer = {
  BUCKETEER_BUCKET_NAME: 'bucketeer-1',
  BUCKETEER_AWS_REGION: 'eu-west-1',
  BUCKETEER_AWS_ACCESS_KEY_ID: 'id',
  BUCKETEER_AWS_SECRET_ACCESS_KEY: 'secret',
};
const cloudcube = {
  CLOUDCUBE_URL: 'https://cloud-cube-eu.s3.amazonaws.com/a1b2c3',
  CLOUDCUBE_ACCESS_KEY_ID: 'id',
  CLOUDCUBE_SECRET_ACCESS_KEY: 'secret',
};

function read(env: Environment) {
  const reader = new VariableReader(env);
  const address = readStoreAddress(reader);
  assert.deepEqual(reader.problems, []);
  return address;
}

function refused(env: Environment): string[] {
  const reader = new VariableReader(env);
  readStoreAddress(reader);
  return reader.problems.map(({ variable }) => variable);
}

function readS3(env: Environment) {
  const address = read(env);
  assert.equal(address.kind, 's3');
  return address as Extract<typeof address, { kind: 's3' }>;
}

describe('a directory store', () => {
  for (const [url, path] of [
    ['file:./data', './data'],
    ['file:/var/lib/trakx', '/var/lib/trakx'],
    ['file:///x', '///x'],
    ['file:my data%20#1?', 'my data%20#1?'],
    ['file:../up', '../up'],
  ] as const) {
    test(`${url} is the path ${path}, taken literally`, () => {
      assert.deepEqual(read({ STORE_URL: url }), { kind: 'directory', path });
    });
  }

  for (const url of [
    './data',
    'file:',
    'https://bucket',
    's3:bucket',
    's3://',
    's3://b',
    's3://buck et/x',
    's3://bucket/../x',
    's3://bucket/ä',
  ]) {
    test(`STORE_URL=${url} is refused`, () => {
      assert.ok(refused({ STORE_URL: url, AWS_REGION: 'r' }).includes('STORE_URL'));
    });
  }
});

describe('a bucket of one’s own', () => {
  test('has a prefix that ends in a slash, or none', () => {
    assert.equal(readS3({ STORE_URL: 's3://bucket', AWS_REGION: 'eu-central-1' }).prefix, '');
    assert.equal(readS3({ STORE_URL: 's3://bucket//a/b/', AWS_REGION: 'eu-central-1' }).prefix, 'a/b/');
  });

  test('is Amazon’s, with the host in its name, unless an endpoint is given', () => {
    const { endpoint, isPathStyle, credentials } = readS3({
      STORE_URL: 's3://bucket',
      AWS_REGION: 'eu-central-1',
    });
    assert.equal(endpoint, undefined);
    assert.equal(isPathStyle, false);
    assert.equal(credentials, undefined, 'the SDK looks for a role by itself');
  });

  test('needs a region at Amazon, and none elsewhere', () => {
    assert.deepEqual(refused({ STORE_URL: 's3://bucket' }), ['AWS_REGION']);
    const other = readS3({ STORE_URL: 's3://bucket', AWS_ENDPOINT_URL_S3: 'http://10.0.0.5:9000/' });
    assert.equal(other.region, 'us-east-1');
    assert.equal(other.endpoint, 'http://10.0.0.5:9000');
    assert.equal(other.isPathStyle, true);
  });

  test('with a dot in its name is addressed by path, for the certificate would not fit', () => {
    assert.equal(readS3({ STORE_URL: 's3://my.bucket', AWS_REGION: 'eu-central-1' }).isPathStyle, true);
  });

  test('takes the key, its secret and a session token, and refuses half of a pair', () => {
    const env = { STORE_URL: 's3://bucket', AWS_REGION: 'r', AWS_ACCESS_KEY_ID: 'id' };
    assert.deepEqual(refused(env), ['AWS_SECRET_ACCESS_KEY']);
    assert.deepEqual(readS3({ ...env, AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' }).credentials, {
      accessKeyId: 'id',
      secretAccessKey: 's',
      sessionToken: 't',
    });
  });

  test('refuses an endpoint that is no web address', () => {
    assert.deepEqual(refused({ STORE_URL: 's3://bucket', AWS_ENDPOINT_URL_S3: 'minio:9000' }), [
      'AWS_ENDPOINT_URL_S3',
    ]);
  });
});

describe('an add-on', () => {
  test('Bucketeer’s variables are a store without further set-up', () => {
    assert.deepEqual(read(bucketeer), {
      kind: 's3',
      bucket: 'bucketeer-1',
      prefix: '',
      region: 'eu-west-1',
      endpoint: undefined,
      isPathStyle: false,
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    });
  });

  test('Cloudcube’s URL gives the bucket and the cube that every key starts with', () => {
    const address = readS3(cloudcube);
    assert.equal(address.bucket, 'cloud-cube-eu');
    assert.equal(address.prefix, 'a1b2c3/');
    assert.equal(address.region, 'eu-west-1');
  });

  test('is beaten by an explicit STORE_URL, of either kind', () => {
    assert.deepEqual(read({ ...bucketeer, STORE_URL: 'file:./x' }), { kind: 'directory', path: './x' });
    assert.equal(readS3({ ...bucketeer, STORE_URL: 's3://mine/p' }).bucket, 'mine');
  });

  test('lends its region and key to a STORE_URL that has none of its own', () => {
    const address = readS3({ ...bucketeer, STORE_URL: 's3://bucketeer-1/p' });
    assert.equal(address.region, 'eu-west-1');
    assert.equal(address.credentials?.accessKeyId, 'id');
  });

  test('gives way to AWS_ACCESS_KEY_ID', () => {
    const own = readS3({ ...bucketeer, AWS_ACCESS_KEY_ID: 'mine', AWS_SECRET_ACCESS_KEY: 's' });
    assert.equal(own.credentials?.accessKeyId, 'mine');
  });

  test('that is half there is refused, each missing variable named', () => {
    assert.deepEqual(refused({ BUCKETEER_BUCKET_NAME: 'x' }), [
      'BUCKETEER_AWS_ACCESS_KEY_ID',
      'BUCKETEER_AWS_SECRET_ACCESS_KEY',
      'BUCKETEER_AWS_REGION',
    ]);
  });

  test('beside another one needs a word on which is meant', () => {
    assert.deepEqual(refused({ ...bucketeer, ...cloudcube }), ['STORE_URL']);
  });
});
