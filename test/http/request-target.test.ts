import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { originForm, targetBytes } from '../../src/http/request-target.ts';

describe('a request target', () => {
  it('in origin or absolute form is its path and query, without the fragment', () => {
    const forms: readonly (readonly [string, string])[] = [
      ['/announce?a=1', '/announce?a=1'],
      ['/announce?a=1#b?c', '/announce?a=1'],
      ['/announce#?a=1', '/announce'],
      ['//announce', '//announce'],
      ['/http://t.example/announce', '/http://t.example/announce'],
      ['http://t.example/announce?a=http://b/c', '/announce?a=http://b/c'],
      ['HTTP://t.example:80//announce', '//announce'],
      ['https://t.example', '/'],
      ['http://t.example?a=/announce', '/?a=/announce'],
    ];
    for (const [target, expected] of forms) assert.equal(originForm(target), expected, target);
  });

  it('that names no path is none', () => {
    for (const target of ['*', '', 'a:80', 't.example/announce', '#/announce']) {
      assert.equal(originForm(target), undefined, target);
    }
  });

  it('has its query after the first question mark', () => {
    const query = (target: string): string => {
      const { bytes, queryStart } = targetBytes(target);
      return Buffer.from(bytes.subarray(queryStart)).toString('latin1');
    };
    assert.equal(query('/announce?a=1?b=2'), 'a=1?b=2');
    assert.equal(query('/announce?'), '');
    assert.equal(query('/announce'), '');
  });
});
