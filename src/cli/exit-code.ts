/** What the command's exit codes mean; `run` exits with the tracker's own. */
export const ExitCode = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  /** `status`: it does not run (Linux Standard Base, init script actions). */
  notRunning: 3,
  /** `status`: it runs, and how it is cannot be told. */
  unknown: 4,
  /** Plus the signal's number, as shells have it. */
  signalled: 128,
  /** By Ctrl-C: 128 and the number of SIGINT. */
  interrupted: 130,
} as const;
