// Loaded into the tracker's process by the fuzz test, with --expose-gc: at SIGUSR2 the heap is collected, so
// that what is left of the process's memory is what it holds on to.
process.on('SIGUSR2', () => {
  globalThis.gc();
  console.log(JSON.stringify({ level: 'info', message: 'garbage collected' }));
});
