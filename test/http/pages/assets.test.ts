import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { describe } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Assets, assetRoutes } from '../../../src/http/pages/assets.ts';
import { serve } from '../page-server.ts';

describe('what pages load', () => {
  test('has an address made of its name and a hash of its bytes, and may be kept for a year', async (context) => {
    const assets = new Assets();
    const ask = await serve(context, assetRoutes(assets));
    for (const [name, type] of [
      ['copy-buttons.js', 'text/javascript; charset=utf-8'],
      ['uplot.js', 'text/javascript; charset=utf-8'],
      ['trakx.css', 'text/css; charset=utf-8'],
      ['uplot.css', 'text/css; charset=utf-8'],
      ['trakx.svg', 'image/svg+xml'],
    ] as const) {
      const address = assets.address(name);
      const { status, headers, text } = await ask(address);
      assert.equal(status, 200, name);
      const [stem, extension] = name.split('.');
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
      assert.equal(address, `/assets/${stem}.${hash}.${extension}`);
      assert.equal(headers['content-type'], type);
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
  });

  test('is found under that address alone', async (context) => {
    const ask = await serve(context, assetRoutes(new Assets()));
    for (const path of [
      '/assets/copy-buttons.js',
      '/assets/copy-buttons.0123456789abcdef.js',
      '/assets/..%2Fassets.ts',
      '/assets/%2e%2e%2f%2e%2e%2fmain.ts',
      '/assets/__proto__',
      '/assets/',
    ]) {
      const { status, headers } = await ask(path);
      assert.equal(status, 404, path);
      assert.doesNotMatch(String(headers['cache-control']), /max-age=[1-9]/);
    }
  });

  test('is compressed for those who take gzip, with the same bytes inside', async (context) => {
    const assets = new Assets();
    const ask = await serve(context, assetRoutes(assets));
    const address = assets.address('uplot.js');
    const plain = await ask(address);
    const { headers, bytes } = await ask(address, { 'accept-encoding': 'gzip, br' });
    assert.equal(headers['content-encoding'], 'gzip');
    assert.equal(headers.vary, 'Accept-Encoding');
    assert.ok(bytes.length < plain.bytes.length / 2);
    assert.deepEqual(gunzipSync(bytes), plain.bytes);
  });

  test('is compressed anew for the next who asks when that failed', async (context) => {
    const assets = new Assets();
    let tries = 0;
    const compress = async (bytes: Buffer): Promise<Buffer> => {
      tries += 1;
      if (tries === 1) throw new Error('no memory');
      return gzipSync(bytes);
    };
    const ask = await serve(context, assetRoutes(assets, compress));
    context.mock.method(console, 'error', () => {});
    const address = assets.address('uplot.js');
    assert.equal((await ask(address, { 'accept-encoding': 'gzip' })).status, 500);
    for (let time = 0; time < 2; time++) {
      assert.equal((await ask(address, { 'accept-encoding': 'gzip' })).status, 200);
    }
    assert.equal(tries, 2);
  });

  test('is asked for by a name that exists, else whoever wrote the page hears of it', () => {
    assert.throws(() => new Assets().address('none.js'), /no asset is named none\.js: .*copy-buttons\.js/);
  });
});
