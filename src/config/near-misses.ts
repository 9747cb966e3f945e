/**
 * Names in the environment that look like a misspelt variable of ours: MAX_PEER, trust_proxy. A variable that is
 * silently not read is the hardest mistake to find.
 */
import type { Environment } from './system.ts';
import { VARIABLES } from './variables.ts';

/** Shorter names have neighbours that mean something else (HOST, POST, PORTS). */
const NAME_CHARACTERS_MIN = 8;
const NAME_CHARACTERS_MAX = 30;
const EDITS_MAX = 2;

/** One sentence for each suspicious name. */
export function nearMisses(env: Environment): string[] {
  const names = Object.keys(VARIABLES);
  const ours = names.filter((name) => name.length >= NAME_CHARACTERS_MIN && !name.startsWith('AWS_'));
  const warnings: string[] = [];
  for (const name of Object.keys(env)) {
    const isElsewhere = name.length < NAME_CHARACTERS_MIN || name.length > NAME_CHARACTERS_MAX;
    if (isElsewhere || names.includes(name)) continue;
    const meant = ours.find((candidate) => isNear(name.toUpperCase(), candidate));
    if (meant !== undefined) warnings.push(`${name} is set but means nothing here; ${meant} does`);
  }
  return warnings;
}

/** Whether at most two letters have to be added, dropped or changed (Levenshtein's distance). */
function isNear(name: string, meant: string): boolean {
  let row = Array.from({ length: meant.length + 1 }, (_, at) => at);
  for (let at = 1; at <= name.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= meant.length; to += 1) {
      const changed = row[to - 1]! + (name[at - 1] === meant[to - 1] ? 0 : 1);
      next.push(Math.min(changed, row[to]! + 1, next[to - 1]! + 1));
    }
    row = next;
  }
  return row[meant.length]! <= EDITS_MAX;
}
