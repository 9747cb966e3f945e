/** What a check of the doctor's found: one line for people, one object for programs. */

/** `skipped`: it could not be looked at from here, which is nobody's mistake. */
export type FindingState = 'ok' | 'warning' | 'problem' | 'skipped';

export interface Finding {
  /** One or two words that name what was looked at. */
  readonly check: string;
  readonly state: FindingState;
  /** What was found: a sentence without its full stop. */
  readonly says: string;
  /** What to do about it; there for each warning and problem. */
  readonly fix?: string;
}

export function ok(check: string, says: string): Finding {
  return { check, state: 'ok', says };
}

export function skipped(check: string, says: string): Finding {
  return { check, state: 'skipped', says };
}

export function warning(check: string, says: string, fix: string): Finding {
  return { check, state: 'warning', says, fix };
}

export function problem(check: string, says: string, fix: string): Finding {
  return { check, state: 'problem', says, fix };
}

/** A sentence of others as findings have theirs. */
export function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
