// With --import before a tracker: SIGUSR2 starts V8's sampling profiler and the next one writes what it saw to
// PROFILE_FOLDER and says so. The profile is the one that --cpu-prof writes, without the start and the fill.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

const SAMPLE_MICROSECONDS = 500;
const session = new Session();
session.connect();
let isRunning = false;
let number = 0;

process.on('SIGUSR2', async () => {
  isRunning = !isRunning;
  if (isRunning) {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS });
    await session.post('Profiler.start');
    process.stderr.write('PROFILE started\n');
  } else {
    const { profile } = await session.post('Profiler.stop');
    number += 1;
    const path = join(process.env.PROFILE_FOLDER, `${number}.cpuprofile`);
    writeFileSync(path, JSON.stringify(profile));
    process.stderr.write(`PROFILE ${path}\n`);
  }
});
