/** What the command's exit codes mean; `run` exits with the tracker's own. */
export const ExitCode = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  /** Plus the signal's number, as shells have it. */
  signalled: 128,
  /** By Ctrl-C: 128 and the number of SIGINT. */
  interrupted: 130,
} as const;
