/**
 * What happens again and again until the tracker stops: by a cron expression, as operators know them, or every so many
 * seconds. Leaves to the caller what happens.
 */
import cron from 'node-cron';
import type { Log } from './log.ts';

export class Schedules {
  readonly #log: Log;
  readonly #ending: AbortSignal;

  /** `ending` ends all of them. */
  constructor(log: Log, ending: AbortSignal) {
    this.#log = log;
    this.#ending = ending;
  }

  everySeconds(seconds: number, work: () => void): void {
    const timer = setInterval(work, seconds * 1_000);
    this.#ending.addEventListener('abort', () => clearInterval(timer));
  }

  /**
   * By a cron expression of five or six fields: never twice at once, and made up at once when the event loop was too
   * busy to start it in time. What `work` rejects with is thrown where nobody catches it.
   */
  everyTime(expression: string, name: string, work: () => Promise<unknown>): void {
    const complain = (message: string | Error): void =>
      this.#log.warn(`schedule ${name}`, { detail: message instanceof Error ? message.message : message });
    const job = cron.schedule(expression, work, {
      name,
      noOverlap: true,
      suppressMissedWarning: true,
      // node-cron's own prints coloured text to the console.
      logger: { info: complain, warn: complain, error: complain, debug: () => {} },
    });
    job.on('execution:missed', () => void work());
    job.on('execution:failed', ({ execution }) => {
      throw execution?.error ?? new Error(`${name} failed`);
    });
    this.#ending.addEventListener('abort', () => void job.destroy());
  }
}
