/**
 * Names in the environment that look like a misspelt variable of ours: MAX_PEER, trust_proxy. A variable that is
 * silently not read is the hardest mistake to find.
 */
import type { Environment } from './system.ts';
import { VARIABLES } from './variables.ts';

/** Shorter names have neighbours that mean something else (HOST, POST, PORTS). */
const NAME_CHARACTERS_MIN = 8;

/** One sentence for each suspicious name. */
export function nearMisses(env: Environment): string[] {
  const names = Object.keys(VARIABLES);
  const ours = names.filter((name) => name.length >= NAME_CHARACTERS_MIN && !name.startsWith('AWS_'));
  const warnings: string[] = [];
  for (const name of Object.keys(env)) {
    if (name.length < NAME_CHARACTERS_MIN || names.includes(name)) continue;
    const meant = ours.find((candidate) => isNear(name.toUpperCase(), candidate));
    if (meant !== undefined) warnings.push(`${name} is set but means nothing here; ${meant} does`);
  }
  return warnings;
}

/** Equal but for one letter changed, missing or added, or two neighbours exchanged. */
function isNear(name: string, meant: string): boolean {
  if (Math.abs(name.length - meant.length) > 1) return false;
  let same = 0;
  while (same < name.length && name[same] === meant[same]) same += 1;
  const rest = name.slice(same);
  const meantRest = meant.slice(same);
  return (
    rest.slice(1) === meantRest.slice(1) ||
    rest.slice(1) === meantRest ||
    rest === meantRest.slice(1) ||
    (rest.slice(2) === meantRest.slice(2) && rest[0] === meantRest[1] && rest[1] === meantRest[0])
  );
}
