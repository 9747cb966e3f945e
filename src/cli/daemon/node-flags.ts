/**
 * The flags with which Node runs the tracker, wherever it is started: the Procfile, `npm start` and `trakx run` use
 * the same ones, and a test compares them. The heap's size is a constant because the tables live outside the heap: it
 * holds the libraries, the requests in flight, and one bulk change of 400,000 hashes as JSON. The
 * young generation is small because what announces leave behind dies at once: larger ones are memory and nothing else
 * (docs/performance.md).
 */
export const NODE_FLAGS: readonly string[] = ['--max-old-space-size=256', '--max-semi-space-size=4'];
