import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';

import { firstSentence } from '../../scripts/docs/doc-comment.ts';
import { anchorsOf } from '../../scripts/docs/heading-anchors.ts';
import { ROOT } from '../../scripts/docs/source-file.ts';
import { fencesOf } from './fences.ts';

const pagesOf = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).map((path) => path.replaceAll('\\', '/')).toSorted();
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const linksOf = (path: string): string[] => [...textOf(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => join(dirname(path), match[1]!));

describe('a reader finds every page', () => {
  test('from the index, by links', () => {
    const found = new Set(['docs/README.md']);
    for (const path of found) {
      if (path.endsWith('.md')) for (const link of linksOf(path)) if (link.startsWith('docs/')) found.add(link);
    }
    expect(pagesOf('docs/**/*.{md,txt}').filter((path) => !path.startsWith('docs/internals/') && !found.has(path))).toEqual([]);
  });

  test('from llms.txt, a line each', () => {
    const linked = linksOf('docs/llms.txt');
    expect(linked.filter((path, n) => linked.indexOf(path) !== n)).toEqual([]);
    expect(linked.toSorted()).toEqual([...pagesOf('docs/**/*.md').filter((path) => !path.startsWith('docs/internals/')), 'docs/llms-full.txt'].toSorted());
    expect(textOf('docs/llms.txt')).toMatch(/^# SAGE Kernel\n\n> \S/);
  });
});

const tasks = pagesOf('docs/guide/*.md').filter((path) => path !== 'docs/guide/operators.md');

describe.each(tasks)('%s', (path) => {
  test('says what it is about in one sentence, and begins with a program that stands alone', () => {
    const [, about, code] = /^# .+\n\n(.+)\n\n([\s\S]*)$/.exec(textOf(path)) ?? [];
    expect(about).toMatch(/\.$/);
    expect(code).toMatch(/^```ts/);
    // Given its first program, and the files that it shows before it
    const first = fencesOf(textOf(path)).find(({ language }) => language === 'ts');
    expect(first!.text).toMatch(/import \{[^}]*\} from 'sage-kernel';/);
  });

  test('leads to the reference or to a page with more', () => {
    expect(linksOf(path).some((link) => link.startsWith('docs/api/') || link.startsWith('docs/concepts/') || link === 'docs/guide.md')).toBe(true);
  });
});

describe('texts are taken apart', () => {
  test.each([
    ['One. Two.', 'One.'],
    ['Of `v1.2` and\nmore.\n\nAnother.', 'Of `v1.2` and more.'],
    ['As here:\n\n```ts\nx.\n```', 'As here.'],
    ['no end', 'no end'],
  ])('the first sentence of %j is %j', (text, expected) => {
    expect(firstSentence(text)).toBe(expected);
  });

  test('anchors are those of GitHub', () => {
    const page = '# A `b` & c\n\n## END\n\n```sh\n# no heading\n```\n\n## End\n\n### FileSource.jsonLines\n\n## [Linked](x.md)\n';
    expect([...anchorsOf(page)]).toEqual(['a-b--c', 'end', 'end-1', 'filesourcejsonlines', 'linked']);
  });
});
