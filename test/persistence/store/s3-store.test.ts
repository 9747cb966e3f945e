import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { S3Store } from '../../../src/persistence/store/s3-store.ts';
import type { StoreFailure } from '../../../src/persistence/store/store.ts';
import { s3Address, startHttpServer } from '../../builders/s3-server.ts';
import { failsWith, nowSeconds } from '../../builders/store.ts';

async function withService(
  listener: RequestListener,
  run: (store: S3Store) => Promise<void>,
  options: { operationMsMax?: number; nowSeconds?: () => number } = {},
): Promise<void> {
  const server = await startHttpServer(listener);
  try {
    await run(await S3Store.open({ address: s3Address(server.port, 'p/'), nowSeconds, ...options }));
  } finally {
    await server.close();
  }
}

const answers =
  (status: number, code: string, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>told so</Message></Error>`);
  };

describe('what an S3 service says becomes a failure and a sentence', () => {
  const cases: readonly [string, RequestListener, StoreFailure, RegExp][] = [
    ['SlowDown', answers(503, 'SlowDown'), 'throttled', /fewer requests/],
    ['a 403', answers(403, 'AccessDenied'), 'denied', /refuses these credentials/],
    ['a full disk', answers(507, 'XMinioStorageFull'), 'no-space', /no room left/],
    ['a used up quota', answers(403, 'QuotaExceeded'), 'no-space', /quota/],
    ['a full disk of another kind', answers(507, 'Whatever'), 'no-space', /no room left/],
    ['a wrong secret', answers(403, 'SignatureDoesNotMatch'), 'denied', /SignatureDoesNotMatch/],
    ['an expired token', answers(400, 'ExpiredToken'), 'denied', /expired/],
    ['a wrong clock', answers(403, 'RequestTimeTooSkewed'), 'denied', /clock/],
    ['a missing bucket', answers(404, 'NoSuchBucket'), 'no-bucket', /bucket does not exist/],
    [
      'the wrong region',
      answers(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-north-1' }),
      'wrong-region',
      /eu-north-1/,
    ],
    [
      'the wrong region in the signature',
      answers(400, 'AuthorizationHeaderMalformed'),
      'wrong-region',
      /region/,
    ],
    ['a reset connection', (request) => void request.socket.resetAndDestroy(), 'unreachable', /broke off/],
    ['an error of its own', answers(400, 'EntityTooLarge'), 'failed', /told so/],
  ];
  for (const [what, listener, failure, sentence] of cases) {
    it(`${what} is '${failure}'`, async () => {
      await withService(listener, async (store) => {
        const check = (error: unknown): true => {
          failsWith(failure)(error);
          assert.match((error as Error).message, sentence);
          assert.doesNotMatch((error as Error).message, /S3RVER/);
          return true;
        };
        await assert.rejects(store.get('a'), check);
        if (failure === 'throttled') return; // each call waits longer before it tries again
        await assert.rejects(store.put('a', Uint8Array.of(1)), check);
        await assert.rejects(store.list(''), check);
      });
    });
  }

  it('a plain 404 to a put or a listing is no missing object but a missing bucket or a wrong endpoint', async () => {
    const notFound: RequestListener = (request, response) => {
      request.resume();
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>');
    };
    await withService(notFound, async (store) => {
      for (const call of [() => store.put('a', Uint8Array.of(1)), () => store.list('')]) {
        await assert.rejects(call, (error: Error) => {
          failsWith('no-bucket')(error);
          assert.match(error.message, /bucket.*AWS_ENDPOINT_URL_S3/);
          return true;
        });
      }
      await assert.rejects(store.get('a'), failsWith('not-found'));
    });
  });

  it('a listing that says there is more and not where has failed', async () => {
    const truncated: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end('<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>');
    };
    await withService(truncated, async (store) => {
      await assert.rejects(store.list(''), failsWith('failed'));
    });
  });

  it("a port where nobody listens is 'unreachable'", async () => {
    const server = await startHttpServer(() => {});
    await server.close();
    const store = await S3Store.open({ address: s3Address(server.port, ''), nowSeconds });
    await assert.rejects(store.get('a'), failsWith('unreachable'));
  });
});

describe('every call to an S3 service is bounded', () => {
  const never: RequestListener = (request) => void request.resume();
  /** A good head and then a byte a tenth of a second, for ever. */
  const dribbles: RequestListener = (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/xml', 'content-length': '100000' });
    const timer = setInterval(() => response.write('x'), 100);
    response.on('close', () => clearInterval(timer));
  };

  for (const [what, listener] of [
    ['accepts and never answers', never],
    ['answers a byte at a time', dribbles],
  ] as const) {
    it(`by its own time limit, when the service ${what}`, async () => {
      await withService(
        listener,
        async (store) => {
          await assert.rejects(store.get('a'), failsWith('timed-out'));
          await assert.rejects(store.list('a'), failsWith('timed-out'));
          await assert.rejects(store.put('a', new Uint8Array(3_000_000)), failsWith('timed-out'));
        },
        { operationMsMax: 250 },
      );
    });

    it(`by the caller's signal, when the service ${what}`, async () => {
      await withService(listener, async (store) => {
        for (const call of [
          store.get.bind(store, 'a'),
          store.list.bind(store, 'a'),
          store.delete.bind(store, 'a'),
        ]) {
          await assert.rejects(call(AbortSignal.timeout(150)), failsWith('timed-out'));
          const controller = new AbortController();
          const asked = call(controller.signal);
          setTimeout(() => controller.abort(), 150);
          await assert.rejects(asked, failsWith('aborted'));
        }
      });
    });
  }

  it('and closes the connection of a body that it gave up', async () => {
    let closed: () => void = () => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await withService(
      (request, response) => {
        response.on('close', closed);
        dribbles(request, response);
      },
      async (store) => {
        await assert.rejects(store.get('a', AbortSignal.timeout(150)), failsWith('timed-out'));
        await isClosed;
      },
    );
  });
});

describe('an S3 store', () => {
  it("learns the service's clock from its answers, also from those that refuse", async () => {
    let ahead = 3_600;
    const told: RequestListener = (request, response) =>
      answers(404, 'NoSuchKey', { date: new Date((nowSeconds() + ahead) * 1000).toUTCString() })(
        request,
        response,
      );
    await withService(told, async (store) => {
      assert.equal(store.clockOffsetSeconds, 0);
      await assert.rejects(store.get('a'), failsWith('not-found'));
      assert.ok(Math.abs(store.clockOffsetSeconds - 3_600) <= 2, `${store.clockOffsetSeconds}`);
      ahead = 1;
      await assert.rejects(store.get('a'), failsWith('not-found'));
      assert.equal(store.clockOffsetSeconds, 0);
    });
  });

  it('puts plain objects: their hash and length, no checksum header, no chunked encoding', async () => {
    const bytes = new Uint8Array(700_000).fill(3);
    let seen: Record<string, unknown> = {};
    await withService(
      (request, response) => {
        seen = { ...request.headers, path: request.url };
        request.resume();
        request.on('end', () => response.writeHead(200).end());
      },
      async (store) => store.put('a/b', bytes),
    );
    assert.equal(seen.path?.toString().split('?')[0], '/trakx-test/p/a/b');
    assert.equal(seen['content-length'], '700000');
    assert.equal(seen['x-amz-content-sha256'], createHash('sha256').update(bytes).digest('hex'));
    assert.deepEqual(
      Object.keys(seen).filter((name) => /checksum|transfer-encoding|trailer|content-encoding/.test(name)),
      [],
    );
  });

  it('tries again after a SlowDown', async () => {
    let requests = 0;
    await withService(
      (request, response) => {
        requests += 1;
        if (requests === 1) answers(503, 'SlowDown')(request, response);
        else response.writeHead(200).end('hello');
      },
      async (store) => assert.equal(Buffer.from(await store.get('a')).toString(), 'hello'),
    );
    assert.equal(requests, 2);
  });
});
