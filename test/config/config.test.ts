import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { type Config, describeProblem, loadConfig } from '../../src/config/config.ts';
import type { Environment, System } from '../../src/config/system.ts';
import { machine } from './system.ts';

function load(env: Environment, system: System = machine()): Config {
  const config = loadConfig(env, system);
  assert.ok(!Array.isArray(config), `problems: ${JSON.stringify(config)}`);
  return config as Config;
}

/** The problems as people see them. */
function problems(env: Environment, system: System = machine()): string[] {
  const config = loadConfig(env, system);
  assert.ok(Array.isArray(config), 'the configuration was accepted');
  return config.map(describeProblem);
}

describe('an empty environment', () => {
  test('gives the defaults', () => {
    const config = load({});
    assert.equal(config.port, 1337);
    assert.equal(config.host, '::');
    assert.equal(config.trustProxy, undefined);
    assert.equal(config.announceIntervalSeconds, 1800);
    assert.equal(config.announceIntervalJitterSeconds, 180);
    assert.equal(config.minAnnounceIntervalSeconds, 900);
    assert.equal(config.numwantDefault, 50);
    assert.equal(config.numwantMax, 200);
    assert.equal(config.scrapeHashesMax, 100);
    assert.equal(config.peerTtlSeconds, 3600);
    assert.equal(config.connectionsMax, 10_000);
    assert.equal(config.purgeCron, '30 * * * * *');
    assert.equal(config.snapshotCron, '*/3 * * * *');
    assert.equal(config.snapshotKeep, 5);
    assert.deepEqual(config.store, { kind: 'directory', path: './data' });
    assert.equal(config.accessMode, 'open');
    assert.equal(config.adminToken, undefined);
    assert.equal(config.logLevel, 'info');
    assert.equal(config.hasExpressLane, true);
  });

  test('is frozen, so that nobody changes it later', () => {
    assert.ok(Object.isFrozen(load({})));
  });

  test('counts as what empty variables are', () => {
    assert.deepEqual(load({ PORT: '', MAX_PEERS: ' ', STORE_URL: '', ADMIN_TOKEN: '' }), load({}));
  });
});

describe('STORE_KEY', () => {
  const base64 = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
  const hex = Buffer.from(base64, 'base64').toString('hex');

  test('unset is no key', () => {
    assert.deepEqual(load({}).storeKeys, []);
  });

  test('takes base64 and hex, the key for new objects first', () => {
    const older = 'ff'.repeat(32);
    const { storeKeys } = load({ STORE_KEY: ` ${base64}, ${hex.toUpperCase()},${older} ` });
    assert.deepEqual(
      storeKeys.map((key) => Buffer.from(key).toString('hex')),
      [hex, hex, older],
    );
  });

  for (const [what, value] of Object.entries({
    'a password': 'correct horse battery staple',
    'a key of 31 bytes': Buffer.alloc(31, 1).toString('base64'),
    'a key of 33 bytes': Buffer.alloc(33, 1).toString('base64'),
    '63 digits': hex.slice(1),
    'base64 without its padding': base64.slice(0, -1),
    'base64 with a last letter that no key has': base64.replace('8=', '9='),
    'the base64 of URLs': base64.replace('A', '-'),
    'a comma at the end': `${base64},`,
    'a wrong second key': `${base64},${hex}f`,
  })) {
    test(`refuses ${what} and shows none of it`, () => {
      const [problem = '', ...more] = problems({ STORE_KEY: value });
      assert.deepEqual(more, []);
      assert.match(problem, /^STORE_KEY=\(hidden\): allowed is a key of 32 bytes, .*openssl rand -base64 32/);
      for (const part of value.split(/[ ,]/)) assert.ok(part === '' || !problem.includes(part), problem);
      assert.equal(/; key 2 of 2 is not so$/.test(problem), value.includes(','));
    });
  }
});

describe('problems', () => {
  test('are reported all at once, each with variable, value and what is allowed', () => {
    assert.deepEqual(problems({ PORT: 'http', SCRAPE_MAX: '0', LOG_LEVEL: 'loud', PURGE_CRON: 'hourly' }), [
      'PORT=http: allowed is 0 to 65535',
      'SCRAPE_MAX=0: allowed is 1 to 250 (info hashes)',
      'PURGE_CRON=hourly: allowed is a cron expression of five fields, or six with seconds first',
      'LOG_LEVEL=loud: allowed is `error`, `warn`, `info` or `debug`',
    ]);
  });

  test('never show a secret', () => {
    const shown = problems({
      ADMIN_TOKEN: 'hunter2',
      STORE_KEY: 'hunter2',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      STORE_URL: 's3://user:hunter2@bucket/x',
    }).join('\n');
    assert.match(shown, /ADMIN_TOKEN=\(hidden\): allowed is 24 to 256 visible/);
    assert.doesNotMatch(shown, /hunter2/);
  });

  for (const value of ['-1', '1.5', '1e3', '0x10', '65536', ' 1 2', '١']) {
    test(`PORT=${value} is refused`, () => {
      assert.match(problems({ PORT: value })[0] ?? '', /^PORT=/);
    });
  }

  test('the statistics name hashes only when STATS_SHOW_HASHES says so', () => {
    assert.equal(load({}).showsHashes, false);
    assert.equal(load({ STATS_SHOW_HASHES: 'on' }).showsHashes, true);
    assert.match(problems({ STATS_SHOW_HASHES: 'some' })[0] ?? '', /^STATS_SHOW_HASHES=some.*`on` or `off`/);
  });
});

describe('values that belong together', () => {
  test('the jitter and the least interval follow the interval when only that is set', () => {
    const config = load({ ANNOUNCE_INTERVAL: '60' });
    assert.equal(config.announceIntervalJitterSeconds, 6);
    assert.equal(config.minAnnounceIntervalSeconds, 30);
  });

  test('the least interval is at most the interval less its jitter', () => {
    load({ MIN_ANNOUNCE_INTERVAL: '1620' });
    assert.match(
      problems({ MIN_ANNOUNCE_INTERVAL: '1621' })[0] ?? '',
      /^MIN_ANNOUNCE_INTERVAL=1621: .*\(1620\)/,
    );
  });

  test('the jitter is less than the interval', () => {
    assert.match(problems({ ANNOUNCE_INTERVAL_JITTER: '1800' })[0] ?? '', /^ANNOUNCE_INTERVAL_JITTER=1800/);
  });

  test('a peer lives longer than the longest interval it can be given, and at most 7200 s', () => {
    load({ PEER_TTL: '1981' });
    assert.match(problems({ PEER_TTL: '1980' })[0] ?? '', /^PEER_TTL=1980: .*\(1980\)/);
    assert.match(problems({ PEER_TTL: '7201' })[0] ?? '', /^PEER_TTL=7201/);
  });

  test('are told of together with what is wrong elsewhere, unless one of them is wrong by itself', () => {
    assert.equal(problems({ NUMWANT_DEFAULT: '500', PORT: '99999' }).length, 2);
    assert.deepEqual(
      problems({ PEER_TTL: '60', ANNOUNCE_INTERVAL: 'often' }).map((problem) => problem.split('=')[0]),
      ['ANNOUNCE_INTERVAL'],
    );
  });

  test('the default of numwant is at most its maximum, and follows it down', () => {
    assert.equal(load({ NUMWANT_MAX: '20' }).numwantDefault, 20);
    assert.match(problems({ NUMWANT_DEFAULT: '30', NUMWANT_MAX: '20' })[0] ?? '', /^NUMWANT_DEFAULT=30/);
  });

  test('connections leave 200 of the open files to everything else', () => {
    const files = {
      '/proc/self/limits': 'Max open files            1024                 4096                 files\n',
    };
    assert.equal(load({}, machine({ files })).connectionsMax, 824);
    assert.equal(load({ MAX_CONNECTIONS: '824' }, machine({ files })).connectionsMax, 824);
    assert.match(problems({ MAX_CONNECTIONS: '825' }, machine({ files }))[0] ?? '', /1 to 824/);
  });
});

describe('single variables', () => {
  test('HOST falls back to IPv4 where the machine has no IPv6', () => {
    assert.equal(load({}, machine({ hasIpv6: false })).host, '0.0.0.0');
    assert.equal(load({ HOST: '[::1]' }).host, '::1');
    assert.match(problems({ HOST: 'localhost' })[0] ?? '', /^HOST=localhost/);
  });

  test('PUBLIC_URL is an origin, its trailing slash dropped', () => {
    assert.equal(load({ PUBLIC_URL: 'https://tracker.example/' }).publicUrl, 'https://tracker.example');
    for (const url of [
      'tracker.example',
      'https://t.example/announce',
      'ftp://t.example',
      'https://u:p@t.example',
    ]) {
      assert.match(problems({ PUBLIC_URL: url })[0] ?? '', /^PUBLIC_URL/, url);
    }
  });

  test('hashes are separated by commas or blanks, and a wrong one is named', () => {
    const hash = 'A'.repeat(40);
    assert.equal(
      load({ BANNED_HASHES: `${hash}, ${'b'.repeat(40)}\n${'0'.repeat(40)}` }).bannedHashes.length,
      3,
    );
    assert.match(problems({ ALLOWED_HASHES: `${hash},abc` })[0] ?? '', /not "abc"$/);
  });

  test('the addresses whose ip parameter is believed may be ranges of either family', () => {
    const { trustIpParamFrom } = load({ TRUST_IP_PARAM_FROM: '192.0.2.7, 2001:db8::/32' });
    assert.deepEqual(
      trustIpParamFrom.map(({ prefixBits }) => prefixBits),
      [32, 32],
    );
    assert.match(problems({ TRUST_IP_PARAM_FROM: '10.0.0.0/33' })[0] ?? '', /^TRUST_IP_PARAM_FROM/);
  });

  test('an admin token is long enough that it cannot be guessed over the network', () => {
    assert.equal(load({ ADMIN_TOKEN: 'x'.repeat(24) }).adminToken, 'x'.repeat(24));
    for (const token of ['x'.repeat(23), 'x'.repeat(257), `${'x'.repeat(30)} y`, 'ä'.repeat(30)]) {
      assert.match(problems({ ADMIN_TOKEN: token })[0] ?? '', /^ADMIN_TOKEN=\(hidden\)/);
    }
  });

  test('a contact address that could be more than an address is refused', () => {
    assert.equal(load({ CONTACT_EMAIL: 'abuse@t.example' }).contactEmail, 'abuse@t.example');
    for (const address of ['abuse', 'a@b c', '<x>@t.example', 'a@t.example?subject=x']) {
      assert.match(problems({ CONTACT_EMAIL: address })[0] ?? '', /^CONTACT_EMAIL/, address);
    }
  });

  test('logs are for reading in a terminal, and JSON in production or a pipe', () => {
    assert.equal(load({}).isLogReadable, true);
    assert.equal(load({ NODE_ENV: 'production' }).isLogReadable, false);
    assert.equal(load({}, machine({ isTerminal: false })).isLogReadable, false);
  });
});

describe('platforms', () => {
  test('Heroku means one proxy and a disk that is wiped', () => {
    const config = load({ DYNO: 'web.1', HEROKU_APP_DEFAULT_DOMAIN_NAME: 'x.herokuapp.com' });
    assert.equal(config.trustProxy, 1);
    assert.equal(config.platform.losesDisk, true);
    assert.equal(config.platform.domainName, 'x.herokuapp.com');
    assert.equal(config.platform.hasBothSchemes, true);
  });

  test('Fly.io means two proxies', () => {
    const config = load({ FLY_APP_NAME: 'x' });
    assert.equal(config.trustProxy, 2);
    assert.equal(config.platform.hasBothSchemes, false);
  });

  test('what is set beats what the platform implies', () => {
    assert.equal(load({ DYNO: 'web.1', TRUST_PROXY: '2' }).trustProxy, 2);
    assert.equal(load({ DYNO: 'web.1', TRUST_PROXY: '0' }).trustProxy, 0);
  });
});
