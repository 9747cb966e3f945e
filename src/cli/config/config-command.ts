/**
 * `trakx config`: the effective value of every variable, secrets masked, or every problem. What a variable means stands
 * in config/variables.ts.
 */
import { describeProblem, isConfig, loadConfig } from '../../config/config.ts';
import { effectiveValues } from '../../config/effective-values.ts';
import { nearMisses } from '../../config/near-misses.ts';
import type { Environment, System } from '../../config/system.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../surroundings.ts';

export function configCommand(
  env: Environment,
  system: System,
  isJson: boolean,
  out: Output,
  errors: Output,
): number {
  for (const warning of nearMisses(env)) errors.write(`${warning}\n`);
  const config = loadConfig(env, system);
  if (!isConfig(config)) {
    for (const problem of config) errors.write(`${describeProblem(problem)}\n`);
    return ExitCode.failed;
  }
  const values = effectiveValues(config);
  if (isJson) {
    out.write(`${JSON.stringify(values, null, 2)}\n`);
    return ExitCode.done;
  }
  const width = Math.max(...Object.keys(values).map((name) => name.length));
  for (const [name, value] of Object.entries(values)) {
    out.write(`${name.padEnd(width)}  ${value === null ? '(not set)' : String(value)}\n`);
  }
  return ExitCode.done;
}
