// Holds the house's law of imports (.dependency-cruiser.mjs) against the files below src/.
//   node test/layering.mjs [directory that holds src/]
// Fails on a violation, and when nothing was cruised: with a parser that cannot read the files dependency-cruiser
// would look at no module and be content.
import { resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';
import law from '../.dependency-cruiser.mjs';

const directory = resolve(process.argv[2] ?? '.');
process.chdir(directory);
const { output } = await cruise(['src'], {
  ...law.options,
  baseDir: directory,
  validate: true,
  ruleSet: { forbidden: law.forbidden },
});

const { summary, modules } = output;
const seen = modules.filter(({ source }) => source.startsWith('src/')).length;
for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`);
console.error(`${seen} modules, ${summary.violations.length} violations`);
if (seen === 0) console.error('nothing was cruised: the check would be worth nothing');
process.exit(seen === 0 || summary.violations.length > 0 ? 1 : 0);
