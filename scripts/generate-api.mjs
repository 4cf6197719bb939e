// Writes the API reference, docs/api, from ts/index.ts, ts/testing/index.ts and the doc comments of what they export, and for machines
// docs/llms.txt (an index of all pages) and docs/llms-full.txt (all signatures).
// Needs the project's Node, which runs TypeScript.
//
//   node_modules/.bin/node scripts/generate-api.mjs           writes the files
//   node_modules/.bin/node scripts/generate-api.mjs --check   fails, naming them, when committed files are stale

import { globSync } from 'node:fs';

import { apiPages } from './docs/api-pages.ts';
import { readApi } from './docs/api-reference.ts';
import { llmsIndex, llmsSheet } from './docs/llms-texts.ts';
import { ROOT } from './docs/source-file.ts';
import { writeGenerated } from './write-generated.mjs';

const SCRIPT = 'scripts/generate-api.mjs';

const api = readApi();
const pages = apiPages(api);
const left = globSync('docs/api/*', { cwd: ROOT })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => !pages.has(path));
if (left.length > 0) {
  console.error(`${left.join(', ')}: no page of ${SCRIPT} has this name any more; delete it`);
  process.exitCode = 1;
}
writeGenerated(ROOT, new Map([...pages, ['docs/llms.txt', llmsIndex(pages)], ['docs/llms-full.txt', llmsSheet(api)]]), SCRIPT);
