/**
 * Which programs the tests start: the sources through tsx, or what was built beside the `main.js` that TRACKER_MAIN names.
 */
import { dirname, join, resolve } from 'node:path';

/** The words after `node` for a program of src/: `main`, `cli/trakx`. */
export function program(name: string): string[] {
  const main = resolve(process.env.TRACKER_MAIN ?? 'src/main.ts');
  if (main.endsWith('.ts'))
    return ['--import', import.meta.resolve('tsx'), join(dirname(main), `${name}.ts`)];
  return [join(dirname(main), `${name}.js`)];
}
