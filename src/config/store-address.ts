/**
 * Where the store is: STORE_URL, else the bucket of an S3 add-on, else ./data. An explicit STORE_URL beats the
 * add-ons' variables; credentials are AWS_* where set, else the add-on's, else what the AWS SDK finds itself.
 */
import type { VariableReader } from './variable-reader.ts';
import { allowedValues } from './variables.ts';

export type StoreAddress =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Before every key: '' or 'a/b/'. */
      readonly prefix: string;
      readonly region: string;
      /** Another vendor's service; undefined is Amazon's. */
      readonly endpoint: string | undefined;
      /** https://host/bucket/key instead of https://bucket.host/key. */
      readonly isPathStyle: boolean;
      /** undefined: the AWS SDK looks for a role or a profile. */
      readonly credentials: StoreCredentials | undefined;
    };

export interface StoreCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface AddOn {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly credentials: StoreCredentials;
}

const DEFAULT_DIRECTORY = './data';
/** What S3-compatible services take for any region; Amazon's own has no default. */
const REGION_OF_OTHER_VENDORS = 'us-east-1';
const BUCKET = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,61}[a-zA-Z0-9]$/;
/** Printable ASCII; what needs escaping in a URL is left to the SDK. */
const PREFIX = /^[\x21-\x7e]{0,512}$/;

/** Problems go to the reader; the value is usable all the same. */
export function readStoreAddress(reader: VariableReader): StoreAddress {
  const url = reader.text('STORE_URL');
  const addOn = readAddOn(reader, url !== undefined);
  if (url === undefined) {
    return addOn === undefined
      ? { kind: 'directory', path: DEFAULT_DIRECTORY }
      : s3Address(reader, addOn.bucket, addOn.prefix, addOn);
  }
  // What stands after `file:` is a path and nothing else: no escapes, no host, no URL rules.
  if (url.startsWith('file:') && url.length > 'file:'.length) {
    return { kind: 'directory', path: url.slice('file:'.length) };
  }
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(url);
  const bucket = match?.[1] ?? '';
  const path = match?.[2] ?? '';
  if (match === null || !BUCKET.test(bucket) || !isPrefix(path)) {
    reader.refuse('STORE_URL');
    return { kind: 'directory', path: DEFAULT_DIRECTORY };
  }
  return s3Address(reader, bucket, path, addOn);
}

function s3Address(
  reader: VariableReader,
  bucket: string,
  path: string,
  addOn: AddOn | undefined,
): StoreAddress {
  const endpoint = readEndpoint(reader);
  return {
    kind: 's3',
    bucket,
    prefix: asPrefix(path),
    region: readRegion(reader, addOn, endpoint),
    endpoint,
    // A dot in a bucket's name breaks the certificate of https://bucket.host.
    isPathStyle: bucket.includes('.') || (endpoint !== undefined && !isAmazon(endpoint)),
    credentials: readCredentials(reader) ?? addOn?.credentials,
  };
}

function readRegion(reader: VariableReader, addOn: AddOn | undefined, endpoint: string | undefined): string {
  const name = reader.text('AWS_REGION') !== undefined ? 'AWS_REGION' : 'AWS_DEFAULT_REGION';
  const region = reader.text(name) ?? addOn?.region;
  if (region === undefined) {
    if (endpoint === undefined)
      reader.refuse(
        'AWS_REGION',
        'the bucket’s region, such as eu-central-1, or an endpoint in AWS_ENDPOINT_URL_S3',
      );
    return REGION_OF_OTHER_VENDORS;
  }
  if (!/^[a-z0-9-]{1,64}$/i.test(region)) reader.refuseValue(name, region, allowedValues('AWS_REGION'));
  return region;
}

function readEndpoint(reader: VariableReader): string | undefined {
  const name = reader.text('AWS_ENDPOINT_URL_S3') !== undefined ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const endpoint = reader.text(name);
  if (endpoint === undefined) return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url === undefined || !/^https?:$/.test(url.protocol) || !isPlain) {
    reader.refuseValue(name, endpoint, allowedValues('AWS_ENDPOINT_URL_S3'));
  }
  return endpoint.replace(/\/+$/, '');
}

function readCredentials(reader: VariableReader): StoreCredentials | undefined {
  const accessKeyId = reader.text('AWS_ACCESS_KEY_ID');
  const secretAccessKey = reader.text('AWS_SECRET_ACCESS_KEY');
  const sessionToken = reader.text('AWS_SESSION_TOKEN');
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return sessionToken === undefined
      ? { accessKeyId, secretAccessKey }
      : { accessKeyId, secretAccessKey, sessionToken };
  }
  if (accessKeyId !== undefined) reader.refuse('AWS_SECRET_ACCESS_KEY');
  if (secretAccessKey !== undefined) reader.refuse('AWS_ACCESS_KEY_ID');
  return undefined;
}

function readAddOn(reader: VariableReader, hasStoreUrl: boolean): AddOn | undefined {
  const found = [readBucketeer(reader), readCloudcube(reader)].filter((addOn) => addOn !== undefined);
  if (found.length > 1 && !hasStoreUrl) {
    reader.refuse('STORE_URL', 's3://bucket/prefix, to say which of Bucketeer and Cloudcube is the store');
  }
  return found[0];
}

function readBucketeer(reader: VariableReader): AddOn | undefined {
  const values = readTogether(reader, [
    'BUCKETEER_BUCKET_NAME',
    'BUCKETEER_AWS_ACCESS_KEY_ID',
    'BUCKETEER_AWS_SECRET_ACCESS_KEY',
    'BUCKETEER_AWS_REGION',
  ]);
  if (values === undefined) return undefined;
  const [bucket, accessKeyId, secretAccessKey, region] = values as [string, string, string, string];
  return { bucket, prefix: '', region, credentials: { accessKeyId, secretAccessKey } };
}

function readCloudcube(reader: VariableReader): AddOn | undefined {
  const values = readTogether(reader, [
    'CLOUDCUBE_URL',
    'CLOUDCUBE_ACCESS_KEY_ID',
    'CLOUDCUBE_SECRET_ACCESS_KEY',
  ]);
  if (values === undefined) return undefined;
  const [url, accessKeyId, secretAccessKey] = values as [string, string, string];
  // https://BUCKET.s3.amazonaws.com/CUBE, or with the region within: https://BUCKET.s3.REGION.amazonaws.com/CUBE
  const match = /^https:\/\/([^/]+?)\.s3(?:[.-]([a-z0-9-]+))?\.amazonaws\.com\/([^/]+)\/?$/.exec(url);
  if (match === null) {
    reader.refuse('CLOUDCUBE_URL', 'https://BUCKET.s3.amazonaws.com/CUBE, as the add-on sets it');
    return undefined;
  }
  const [, bucket = '', region = cloudcubeRegion(bucket), cube = ''] = match;
  return { bucket, prefix: cube, region, credentials: { accessKeyId, secretAccessKey } };
}

/** Its buckets are cloud-cube (Virginia), cloud-cube-eu… and cloud-cube-jp…; AWS_REGION overrides a wrong guess. */
function cloudcubeRegion(bucket: string): string {
  if (bucket.startsWith('cloud-cube-eu')) return 'eu-west-1';
  return bucket.startsWith('cloud-cube-jp') ? 'ap-northeast-1' : 'us-east-1';
}

/** All of the variables, or undefined when none is set; a problem names each that is missing. */
function readTogether(reader: VariableReader, names: readonly string[]): string[] | undefined {
  const values = names.map((name) => reader.text(name));
  if (values.every((value) => value === undefined)) return undefined;
  const missing = names.filter((_, index) => values[index] === undefined);
  for (const name of missing)
    reader.refuseValue(name, '', `all of ${names.join(', ')}, as the add-on sets them`);
  return missing.length > 0 ? undefined : (values as string[]);
}

function isPrefix(path: string): boolean {
  const names = path.split('/').filter((name) => name !== '');
  return PREFIX.test(path) && !names.includes('.') && !names.includes('..');
}

function asPrefix(path: string): string {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((name) => `${name}/`).join('');
}

function isAmazon(endpoint: string): boolean {
  return URL.canParse(endpoint) && new URL(endpoint).hostname.endsWith('.amazonaws.com');
}
