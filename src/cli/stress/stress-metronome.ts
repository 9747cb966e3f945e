/**
 * Ticks finer than Node's timers, which know whole milliseconds, without keeping a core busy: a thread waits on a cell
 * of shared memory, whose time-out is exact to some tens of microseconds, and wakes the event loop. A tick that finds
 * the one before it unheard is left out.
 */
import { Worker } from 'node:worker_threads';

const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const { cells, periodMs } = workerData;
let nextMs = performance.now();
while (Atomics.load(cells, 0) === 0) {
  const nowMs = performance.now();
  nextMs = Math.max(nextMs + periodMs, nowMs);
  if (nextMs > nowMs) Atomics.wait(cells, 0, 0, nextMs - nowMs);
  if (Atomics.exchange(cells, 1, 1) === 0) parentPort.postMessage(0);
}`;

/** Calls `onTick` about every `periodMs` until the function that it returns is called. */
export function startMetronome(periodMs: number, onTick: () => void): () => Promise<unknown> {
  // [0]: ends; [1]: a tick is on its way.
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData: { cells, periodMs } });
  thread.on('message', () => {
    Atomics.store(cells, 1, 0);
    onTick();
  });
  return () => {
    Atomics.store(cells, 0, 1);
    Atomics.notify(cells, 0);
    return thread.terminate();
  };
}
