/** How much each section measures: in full, and as little as shows that everything works. */

export const SECTIONS = [
  'announce',
  'mixed',
  'scrape',
  'memory',
  'scaling',
  'event-loop',
  'restore',
  'saving',
  'counting',
] as const;
export type Section = (typeof SECTIONS)[number];
/** What is measured of other servers, too. */
export const CONTENDER_SECTIONS: readonly Section[] = ['announce', 'mixed', 'scrape', 'memory', 'scaling'];
/** What cannot be measured without wrk. */
export const WRK_SECTIONS: readonly Section[] = ['announce', 'mixed', 'scrape', 'scaling', 'counting'];

const FULL = {
  rounds: 5,
  swarms: 1_000,
  secondsEach: 5,
  warmUpSeconds: 2,
  warmUpAnnounces: 600_000,
  memoryPeers: 1_000_000,
  tableSizes: [1_000, 10_000, 100_000, 1_000_000, 5_000_000],
  swarmSizes: [1, 10, 100, 1_000, 10_000, 50_000, 200_000],
  peersOfSwarmSizes: 200_000,
  eventLoop: {
    peers: 2_000_000,
    rounds: 5,
    roundSeconds: 60,
    purgeCron: '30 * * * * *',
    announcesPerSecond: 1_000,
  },
  restorePeers: 1_000_000,
  saving: { scale: 1, rounds: 5, turnSeconds: 60, announcesPerSecond: 1_000 },
  counting: { swarms: 1_000, starts: 5, roundsEach: 8, turnSeconds: 2, warmUpSeconds: 8 },
  profile: { swarms: 1_000, seconds: 20, warmUpSeconds: 8 },
  /** Of the whole run: then everything is ended, whatever hangs. */
  minutesMax: 180,
};

const QUICK: typeof FULL = {
  rounds: 1,
  swarms: 100,
  secondsEach: 1,
  warmUpSeconds: 1,
  warmUpAnnounces: 20_000,
  memoryPeers: 30_000,
  tableSizes: [1_000, 10_000],
  swarmSizes: [1, 100, 5_000],
  peersOfSwarmSizes: 5_000,
  eventLoop: {
    peers: 40_000,
    rounds: 1,
    roundSeconds: 4,
    purgeCron: '*/2 * * * * *',
    announcesPerSecond: 500,
  },
  restorePeers: 40_000,
  saving: { scale: 0.01, rounds: 1, turnSeconds: 4, announcesPerSecond: 500 },
  counting: { swarms: 100, starts: 1, roundsEach: 2, turnSeconds: 1, warmUpSeconds: 1 },
  profile: { swarms: 100, seconds: 2, warmUpSeconds: 1 },
  minutesMax: 10,
};

/** `rounds` in place of what each section has. */
export function sizes(isQuick: boolean, rounds?: number): typeof FULL {
  const size = isQuick ? QUICK : FULL;
  if (rounds === undefined) return size;
  return {
    ...size,
    rounds,
    eventLoop: { ...size.eventLoop, rounds },
    saving: { ...size.saving, rounds },
    counting: { ...size.counting, starts: rounds },
  };
}
