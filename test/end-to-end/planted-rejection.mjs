// Loaded into the tracker's process by a test: at SIGUSR2 a rejected promise that nobody awaits.
process.once('SIGUSR2', () => {
  Promise.reject(new Error('planted by a test'));
});
