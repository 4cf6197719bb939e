import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { projectRoot } from './project.mjs';

// Bundles `ts/` into the folder that is given: a hundred small files take longer to find than to compile, and importing
// the package has a budget of 40 ms.

/** What is imported or run by its path; all else is in chunks that these share. */
const ENTRIES = ['index', 'testing/index', 'runtime/worker/worker-main', 'cli/main', 'cli/dev/dev-child'];

const [folder] = process.argv.slice(2);
const entries = ENTRIES.filter((name) => existsSync(join(projectRoot, 'ts', `${name}.ts`)));
const build = await rolldown({
  input: Object.fromEntries(entries.map((name) => [name, join(projectRoot, 'ts', `${name}.ts`)])),
  platform: 'node',
  external: [/^node:/, 'flatbuffers'],
  logLevel: 'warn',
});
await build.write({
  dir: folder,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  sourcemap: true,
  keepNames: true,
});
await build.close();
