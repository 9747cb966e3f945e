/** Waiting for a condition, never for a time: the bound only turns a hang into a message. */

const HANG_MS = 90_000;
const LOOK_AGAIN_MS = 100;

/**
 * Resolves once `isTrue` answers true. Rejects after a time in which only a hang is left as the reason, with
 * what was awaited and what `describe` says then.
 */
export async function waitUntil(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  const end = performance.now() + HANG_MS;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}\n${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
