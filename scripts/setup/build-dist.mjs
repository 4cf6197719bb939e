import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectNode, projectRoot } from './project.mjs';
import { lastLines, runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { sourceHash } from './source-hash.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const dist = join(projectRoot, 'dist');

function distSources() {
  return sourceHash(['tsconfig.json', 'package.json', 'scripts/setup/bundle.mjs', 'ts']);
}

/** Whether `dist/` was compiled from the TypeScript that is there. */
export function distIsCurrent() {
  return existsSync(dist) && readStamp('dist')?.sources === distSources();
}

/** Declarations and bundles of `ts/` in `dist/`: aside first, so that a process never imports half of the old and half of the new. */
export async function buildDist() {
  const sources = distSources();
  const old = `${dist}.old.tmp`;
  const fresh = `${dist}.fresh.tmp`;
  for (const path of [old, fresh]) rmSync(path, { recursive: true, force: true }); // Of a set-up that was killed.
  try {
    const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const compile = await runCommand(projectNode, [tsc, '-p', 'tsconfig.json', '--emitDeclarationOnly', '--outDir', fresh]);
    if (compile.code !== 0) {
      throw new SetupProblem(`ts/ does not compile; what the compiler says follows.\n${lastLines(compile.output)}`);
    }
    // On the project's Node: the bundler needs a newer one than set-up does.
    const bundle = await runCommand(projectNode, [join(projectRoot, 'scripts', 'setup', 'bundle.mjs'), fresh]);
    if (bundle.code !== 0) throw new SetupProblem(`ts/ cannot be bundled; what the bundler says follows.\n${lastLines(bundle.output)}`);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    writeStamp('dist', { sources });
  } finally {
    for (const path of [old, fresh]) rmSync(path, { recursive: true, force: true });
  }
}
