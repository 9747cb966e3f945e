import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { memoryLimitBytes, memoryQuotaBytes, peersThatFit } from '../../src/config/memory-limit.ts';
import { machine } from './system.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const big = { memoryBytes: 64 * GIB };

describe('the memory limit', () => {
  test('is 2 GiB on a big machine, and the machine’s memory on a small one', () => {
    assert.equal(memoryLimitBytes({}, machine(big)), 2 * GIB);
    assert.equal(memoryLimitBytes({}, machine({ memoryBytes: GIB })), GIB);
  });

  test('is the control group’s, version 2', () => {
    const files = { '/sys/fs/cgroup/memory.max': `${512 * MIB}\n` };
    assert.equal(memoryLimitBytes({}, machine({ ...big, files })), 512 * MIB);
  });

  test('is the control group’s, version 1', () => {
    const files = { '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${256 * MIB}\n` };
    assert.equal(memoryLimitBytes({}, machine({ ...big, files })), 256 * MIB);
  });

  test('is found in the group of a service, and in the groups around it', () => {
    const files = {
      '/proc/self/cgroup': '0::/system.slice/trakx.service\n',
      '/sys/fs/cgroup/system.slice/trakx.service/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/memory.max': `${300 * MIB}\n`,
    };
    assert.equal(memoryLimitBytes({}, machine({ ...big, files })), 300 * MIB);
  });

  test('is found in a version 1 group that shares its controller', () => {
    const files = {
      '/proc/self/cgroup': '5:cpu:/x\n4:hugetlb,memory:/docker/abc\n',
      '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${400 * MIB}\n`,
    };
    assert.equal(memoryLimitBytes({}, machine({ ...big, files })), 400 * MIB);
  });

  test('takes "max" and a number near 2^63 for no limit', () => {
    const files = {
      '/sys/fs/cgroup/memory.max': 'max\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    };
    assert.equal(memoryLimitBytes({}, machine({ ...big, files })), 2 * GIB);
  });

  test('is MEMORY_AVAILABLE, in MB, when that is the smallest', () => {
    assert.equal(memoryLimitBytes({ MEMORY_AVAILABLE: '512' }, machine(big)), 512 * MIB);
    assert.equal(memoryLimitBytes({ MEMORY_AVAILABLE: 'plenty' }, machine(big)), 2 * GIB);
  });
});

describe('the peers that fit', () => {
  test('are one for each 64 bytes past 160 MiB: 5.7 million in a 512 MB dyno', () => {
    assert.equal(peersThatFit(512 * MIB), (352 * MIB) / 64);
  });

  test('are at least 50,000, however small the machine', () => {
    assert.equal(peersThatFit(64 * MIB), 50_000);
  });
});

test('the quota is what the platform names for this process, and nothing where it names none', () => {
  assert.equal(memoryQuotaBytes({}, machine(big)), undefined);
  assert.equal(memoryQuotaBytes({ MEMORY_AVAILABLE: '512' }, machine(big)), 512 * MIB);
  const files = { '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' };
  assert.equal(memoryQuotaBytes({}, machine({ ...big, files })), undefined);
});
