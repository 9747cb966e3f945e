import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientError, type Retry } from '../../src/protocol/client-error.ts';
import { encodeFailure } from '../../src/protocol/failure-reply.ts';

const failure = (reason: string, retry?: Retry): string =>
  Buffer.from(encodeFailure(new ClientError(reason, retry))).toString('latin1');

describe('a failure, byte for byte', () => {
  it('is its reason alone when the request was wrong', () => {
    assert.equal(failure('invalid info_hash'), 'd14:failure reason17:invalid info_hashe');
  });

  it('says when to try again', () => {
    assert.equal(
      failure('overloaded', { intervalSeconds: 3600, minIntervalSeconds: 3600, retryInMinutes: 60 }),
      'd14:failure reason10:overloaded8:intervali3600e12:min intervali3600e8:retry ini60ee',
    );
  });

  it('says never', () => {
    assert.equal(
      failure('torrent not allowed', {
        intervalSeconds: 3600,
        minIntervalSeconds: 3600,
        retryInMinutes: 'never',
      }),
      'd14:failure reason19:torrent not allowed8:intervali3600e12:min intervali3600e8:retry in5:nevere',
    );
  });
});
