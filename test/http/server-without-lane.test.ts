/** The tests of the server once more, with the express lane off. */
process.env.EXPRESS_LANE = 'off';

await import('./server.test.ts');
