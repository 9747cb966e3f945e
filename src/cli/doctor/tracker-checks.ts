/** What the tracker that runs here says of itself: whether it answers, what it warns of, whether its restore has settled. */
import type { Config } from '../../config/config.ts';
import { durationText } from '../terminal/quantities.ts';
import { ask, NoAnswer, statsOf } from '../tracker-client.ts';
import { type Finding, ok, problem, skipped, warning, withoutStop } from './finding.ts';

export async function checkTracker(
  url: string,
  config: Config,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const stats = await statsOf(url, signal);
  if (stats instanceof NoAnswer)
    return [skipped('tracker', `none runs at ${url} (${stats.why}), so nobody could be asked what it sees`)];
  if (stats === undefined)
    return [problem('tracker', `something else answers at ${url}`, 'end it, or set another PORT')];
  const { store, journal, warnings } = stats;
  const findings = [
    ok(
      'tracker',
      `version ${stats.version} at ${url} for ${durationText(stats.uptimeSeconds)}, ${stats.peers} peers in ${stats.swarms} swarms`,
    ),
  ];
  for (const sentence of warnings)
    findings.push(
      warning('tracker', withoutStop(sentence), 'see what it says; /stats shows it until it is well'),
    );
  const ready = await ask(`${url}/readyz`, { signal });
  if (!(ready instanceof NoAnswer) && ready.status !== 200)
    findings.push(warning('restore', ready.text.trim(), 'wait, and look at the log if it stays so'));
  if (store.state === 'failing' && !warnings.some((sentence) => sentence.includes('failed')))
    findings.push(problem('tracker store', 'the tracker cannot save', 'see to the store’s checks here'));
  const lossSeconds = Math.max(3 * journal.intervalSeconds, 30);
  if (journal.secondsAtRisk <= lossSeconds)
    findings.push(
      ok(
        'at risk',
        journal.bytesAtRisk === 0
          ? 'a crash now would lose nothing'
          : `a crash now would lose what was heard in the last ${durationText(journal.secondsAtRisk)}`,
      ),
    );
  else
    findings.push(
      problem(
        'at risk',
        `a crash now would lose what was heard in the last ${durationText(journal.secondsAtRisk)}`,
        'see to the store’s checks here',
      ),
    );
  if (config.journalSeconds === 0)
    findings.push(
      warning(
        'at risk',
        'JOURNAL_SECONDS=0: a kill loses what was heard since the last snapshot',
        'leave JOURNAL_SECONDS at 10',
      ),
    );
  return findings;
}
