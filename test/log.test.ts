import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test, { describe } from 'node:test';
import { createLog, errorFields, LINE_BYTES_MAX, type LogOptions } from '../src/log.ts';

function logTo(options: Partial<LogOptions> = {}) {
  const stream = new PassThrough();
  const log = createLog({ level: 'info', isReadable: false, stream, ...options });
  const lines = () =>
    String(stream.read() ?? '')
      .split('\n')
      .filter((line) => line !== '');
  return { log, lines };
}

describe('in production', () => {
  test('each message is one JSON object a line, time, level and message first', () => {
    const { log, lines } = logTo();
    log.info('saved', { snapshot: 7, parts: [1, 2], store: { kind: 's3' } });
    log.warn('two\nlines');
    const [first = '', second = ''] = lines();
    assert.deepEqual(Object.keys(JSON.parse(first)), [
      'timestamp',
      'level',
      'message',
      'snapshot',
      'parts',
      'store',
    ]);
    assert.match(JSON.parse(first).timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(JSON.parse(second).message, 'two\nlines');
  });

  test('a field cannot pass for the line’s own level or message', () => {
    const { log, lines } = logTo();
    log.error('real', { level: 'debug', message: 'false', timestamp: 'never' });
    const line = JSON.parse(lines()[0] ?? '');
    assert.equal(line.level, 'error');
    assert.equal(line.message, 'real');
    assert.match(line.timestamp, /Z$/);
  });

  for (const [what, fields] of [
    ['a long text', { text: 'é'.repeat(50_000) }],
    ['text that JSON escapes to six times its size', { text: '\u0001'.repeat(50_000) }],
    ['a long list', { list: Array.from({ length: 20_000 }, (_, index) => index) }],
    [
      'many fields',
      Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}`, index])),
    ],
    ['a deep value', { a: { b: { c: [{ d: 'x'.repeat(90_000) }] } } }],
  ] as const) {
    test(`a line with ${what} is cut to at most 10 KB and stays JSON`, () => {
      const { log, lines } = logTo();
      log.info('x'.repeat(9_000), fields);
      const [line = ''] = lines();
      assert.ok(Buffer.byteLength(line) < LINE_BYTES_MAX, `${Buffer.byteLength(line)} bytes`);
      assert.equal(JSON.parse(line).isCut, true);
    });
  }
});

describe('in a terminal', () => {
  test('a line is time, level, message and fields', () => {
    const { log, lines } = logTo({ isReadable: true });
    log.warn('store is slow', { seconds: 3, cause: undefined, store: 's3' });
    assert.match(lines()[0] ?? '', /^\d\d:\d\d:\d\d warn {2}store is slow seconds=3 store=s3$/);
  });
});

test('messages less urgent than the level are dropped', () => {
  const { log, lines } = logTo({ level: 'warn' });
  log.debug('no');
  log.info('no');
  log.warn('yes');
  log.error('yes');
  assert.equal(lines().length, 2);
});

test('a caught error becomes fields, with its stack only where asked for', () => {
  const error = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  assert.deepEqual(errorFields(error), { error: 'no space', code: 'ENOSPC', stack: undefined });
  assert.match(String(errorFields(error, true).stack), /log\.test/);
  assert.deepEqual(errorFields('text'), { error: 'text' });
});
