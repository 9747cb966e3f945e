// With --import before a tracker: prints when its first line is about to run, in milliseconds since the epoch.
process.stderr.write(`MAIN ${Date.now()}\n`);
