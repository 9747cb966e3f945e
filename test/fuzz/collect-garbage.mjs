// Loaded into the tracker's process by the fuzz test, with --expose-gc: at SIGUSR2 the heap is collected and the log
// told what the process then holds on to: its own memory, without the files mapped into it and without what is empty of
// the pages that V8 has for the heap.
import { readFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapTotal, heapUsed } = process.memoryUsage();
  const ownKib = Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  const keptBytes = ownKib * 1024 - heapTotal + heapUsed;
  console.log(JSON.stringify({ level: 'info', message: 'garbage collected', keptBytes }));
});
