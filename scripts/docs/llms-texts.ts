import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type ApiReference, shownMembers } from './api-reference.ts';
import { firstSentence } from './doc-comment.ts';
import { ROOT } from './source-file.ts';

/** Sections of llms.txt: pages of docs/ in the order of their patterns. */
const SECTIONS: readonly { readonly title: string; readonly pages: readonly string[] }[] = [
  { title: 'Start', pages: ['docs/README.md', 'docs/guide.md', 'docs/install.md'] },
  { title: 'Tasks', pages: ['docs/guide/*.md'] },
  { title: 'Concepts', pages: ['docs/concepts/*.md'] },
  { title: 'Reference', pages: ['docs/*.md', 'docs/api/*.md'] },
  // By the convention of llms.txt, what may be left out when a shorter context is needed.
  { title: 'Optional', pages: ['docs/errors/*.md'] },
];

const SUMMARY =
  'A dataflow engine for TypeScript on a Rust core, in one Node process: typed chains of operators over files, streams and functions, with backpressure, keyed state, worker threads and exact counts.';

/** docs/llms.txt: one line a page. `made` are pages that are made in the same run, and may not be on the disk yet. */
export function llmsIndex(made: ReadonlyMap<string, string>): string {
  const seen = new Set<string>();
  const sections = SECTIONS.map(({ title, pages }) => {
    const paths = pages.flatMap((pattern) => matching(pattern, made)).filter((path) => !seen.has(path));
    for (const path of paths) seen.add(path);
    return `## ${title}\n\n${paths.map((path) => pageLine(path, made.get(path) ?? readFileSync(join(ROOT, path), 'utf8'))).join('\n')}\n`;
  });
  return `# SAGE Kernel\n\n> ${SUMMARY}\n\nEvery example of these pages is run by a test. The public names with their signatures, in one file: [llms-full.txt](llms-full.txt).\n\n${sections.join('\n')}`;
}

function matching(pattern: string, made: ReadonlyMap<string, string>): string[] {
  const folder = pattern.slice(0, pattern.lastIndexOf('/') + 1);
  const isMade = (path: string): boolean => pattern.endsWith('*.md') && path.startsWith(folder) && path.endsWith('.md') && !path.slice(folder.length).includes('/');
  const paths = globSync(pattern, { cwd: ROOT }).map((path) => path.replaceAll('\\', '/'));
  return [...new Set([...paths, ...[...made.keys()].filter(isMade)])].toSorted();
}

function pageLine(path: string, markdown: string): string {
  const text = markdown.replace(/^<!--[\s\S]*?-->\s*/, '');
  const [, title, rest] = /^# (.+)\n+([\s\S]*)$/.exec(text) ?? [];
  if (title === undefined) throw new Error(`${path} does not begin with a title`);
  const about = firstSentence(rest!).replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return `- [${title}](${path.replace('docs/', '')}): ${about}`;
}

/** docs/llms-full.txt: the first program, the rules, and every public name with its signatures. */
export function llmsSheet(api: ApiReference): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const program = /## A first program\n\n```ts.*(\n[\s\S]*?```)/.exec(readme)?.[1];
  if (program === undefined) throw new Error('README.md has lost its first program');
  const about = (text: string | undefined): string => (text === undefined ? '' : ` // ${firstSentence(text).replaceAll(/\{@link (\w+)\}/g, '$1')}`);
  const oneLine = (text: string): string => text.replaceAll(/\s*\/\*\*.*?\*\/\s*/gs, ' ').replaceAll(/\s+/g, ' ');
  const areas = api.areas.map(({ area, entries }) => {
    const lines = entries.flatMap((entry) => [
      '',
      ...entry.signatures.map((text, n) => `${oneLine(text)}${n === 0 ? about(entry.comment?.text) : ''}`),
      ...shownMembers(entry).flatMap(({ signatures, comment }) => signatures.map((text, n) => `  ${oneLine(text)}${n === 0 ? about(comment?.text) : ''}`)),
    ]);
    return `## ${area.title}\n\n${area.about}\n\n\`\`\`ts\n${lines.slice(1).join('\n')}\n\`\`\`\n`;
  });
  return `# SAGE Kernel: API sheet

> ${SUMMARY}

\`\`\`ts${program}

- Nothing runs before \`submit\`. A chain appends operators to its environment; \`sink\`, \`print\` or \`collect\` ends it.
- All names come from \`'sage-kernel'\`, those of the section Testing from \`'sage-kernel/testing'\`. Functions are lambdas or classes (given with constructor arguments), synchronous or async.
- With \`parallelism\` above 1, worker threads import the program again: it must come to the same pipeline. Code that must happen once asks \`isWorker()\`.
- Errors are \`SageError\` with a stable \`code\`, \`help\` and \`helpUrl\`; \`docs/errors/<code>.md\` explains each.

${areas.join('\n')}`;
}
