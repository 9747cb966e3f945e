/**
 * `trakx doctor`: everything that is known to go wrong, looked at in the order in which one thing needs another, and for
 * each what to do. It talks to the configured store and to the tracker at its local and its public address, to nobody else.
 */
import type { AtWork } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import type { Surroundings } from '../surroundings.ts';
import { oneLine } from '../terminal/one-line.ts';
import { counted } from '../terminal/quantities.ts';
import { checkAnnounceUrl } from './announce-checks.ts';
import { checkEnvironment, checkVariables } from './environment-checks.ts';
import { type Finding, skipped } from './finding.ts';
import { checkMachine, nodeFinding } from './machine-checks.ts';
import { checkStore } from './store-checks.ts';
import { checkTracker } from './tracker-checks.ts';

export interface DoctorOptions {
  /** Where the tracker of this machine answers. */
  readonly localUrl: string | undefined;
  readonly nodeVersion: string;
  readonly isJson: boolean;
}

const MARKS = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ', skipped: '-       ' } as const;
const CHECK_WIDTH = 12;

/** Exit code `failed` when there is a problem; warnings are none. */
export async function doctorCommand(
  surroundings: Surroundings,
  { signal, progress }: AtWork,
  { localUrl, nodeVersion, isJson }: DoctorOptions,
): Promise<number> {
  const { env, system, out, nowSeconds } = surroundings;
  const findings: Finding[] = [];
  const tell = (some: readonly Finding[]): void => {
    progress.clear();
    findings.push(...some);
    if (!isJson) for (const finding of some) out.write(lineOf(finding));
  };
  const { config, findings: ofVariables } = checkVariables(env, system);
  tell(ofVariables);
  if (config === undefined) {
    tell([
      nodeFinding(nodeVersion),
      skipped('the rest', 'the tracker does not start with these variables, so nothing else was looked at'),
    ]);
  } else {
    tell(checkEnvironment(config, env));
    tell(checkMachine({ config, system, nodeVersion, nowSeconds: nowSeconds() }));
    progress.show(() => 'trying the store');
    tell(await checkStore(surroundings, config, signal));
    tell(await checkTracker(localUrl ?? '', config, signal));
    progress.show(() => 'asking the public URL');
    tell(await checkAnnounceUrl({ config, surroundings, signal }));
  }
  const problems = findings.filter(({ state }) => state === 'problem').length;
  const warnings = findings.filter(({ state }) => state === 'warning').length;
  if (isJson)
    out.write(`${JSON.stringify({ isWell: problems === 0, problems, warnings, findings }, null, 2)}\n`);
  else out.write(`\n${summary(problems, warnings)}\n`);
  return problems === 0 ? ExitCode.done : ExitCode.failed;
}

function lineOf({ check, state, says, fix }: Finding): string {
  const line = `${MARKS[state]}${check.padEnd(CHECK_WIDTH)}  ${oneLine(says)}`;
  return `${line}${fix === undefined ? '' : `. To do: ${oneLine(fix)}`}\n`;
}

function summary(problems: number, warnings: number): string {
  if (problems + warnings === 0) return 'All is well.';
  return `${counted(problems, 'problem')}, ${counted(warnings, 'warning')}.`;
}
