// With --import before a tracker: at each SIGUSR2 it prints the event loop's delay since the last one as a line of
// JSON, in milliseconds. It samples every millisecond, twenty times finer than the tracker itself, which costs a few
// hundredths of a core: not for runs that measure CPU.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

const delayMs = (nanoseconds) => Math.max(0, Math.round(nanoseconds / 1e3) / 1e3 - RESOLUTION_MS);

process.on('SIGUSR2', () => {
  const { count } = histogram;
  const at = (percentile) => (count === 0 ? 0 : delayMs(histogram.percentile(percentile)));
  const delays = {
    samples: count,
    p50: at(50),
    p99: at(99),
    p999: at(99.9),
    max: count === 0 ? 0 : delayMs(histogram.max),
  };
  histogram.reset();
  process.stderr.write(`LOOP ${JSON.stringify(delays)}\n`);
});
