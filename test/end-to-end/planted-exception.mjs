// Loaded into the tracker's process by a test: at SIGUSR2 an error that nobody catches.
process.once('SIGUSR2', () => {
  setTimeout(() => {
    throw new Error('planted by a test');
  });
});
