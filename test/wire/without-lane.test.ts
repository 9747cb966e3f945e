/**
 * Everything in this folder once more, with the express lane off. Test files run in processes of their own, so
 * the variable reaches nobody else.
 */
import { readdirSync } from 'node:fs';

process.env.EXPRESS_LANE = 'off';

const folder = new URL('.', import.meta.url);
for (const name of readdirSync(folder).sort()) {
  if (name.endsWith('.test.ts') && !import.meta.url.endsWith(name)) await import(new URL(name, folder).href);
}
