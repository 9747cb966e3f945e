import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { describe } from 'node:test';
import { VARIABLES } from '../../src/config/variables.ts';

const documents = [
  'README.md',
  'SECURITY.md',
  'deploy/README.md',
  ...readdirSync('docs').map((name) => join('docs', name)),
].filter((path) => path.endsWith('.md'));

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(path: string): string[] {
  const headings = readFileSync(path, 'utf8').match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the documents', () => {
  for (const document of documents) {
    test(`${document} links to files and headings that exist`, () => {
      const links = [
        ...readFileSync(document, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g),
      ];
      for (const [link, file = '', anchor] of links) {
        const path = file === '' ? document : join(dirname(document), file);
        assert.ok(existsSync(path), `${link} in ${document}`);
        if (anchor !== undefined) assert.ok(anchors(path).includes(anchor), `${link} in ${document}`);
      }
    });
  }

  test('the README names every variable', () => {
    const readme = readFileSync('README.md', 'utf8');
    for (const name of Object.keys(VARIABLES)) assert.ok(readme.includes(`| \`${name}\` |`), name);
  });
});
