import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectNode, projectRoot } from './project.mjs';
import { lastLines, runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { sourceHash } from './source-hash.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const dist = join(projectRoot, 'dist');

function distSources() {
  return sourceHash(['tsconfig.json', 'package.json', 'ts']);
}

/** Whether `dist/` was compiled from the TypeScript that is there. */
export function distIsCurrent() {
  return existsSync(dist) && readStamp('dist')?.sources === distSources();
}

/** Compiles `ts/` into `dist/`: aside first, so that a process never imports half of the old and half of the new. */
export async function buildDist() {
  const sources = distSources();
  const old = `${dist}.${process.pid}.tmp`;
  const fresh = `${dist}.fresh.${process.pid}.tmp`;
  try {
    const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const compile = await runCommand(projectNode, [tsc, '-p', 'tsconfig.json', '--outDir', fresh]);
    if (compile.code !== 0) {
      throw new SetupProblem(`ts/ does not compile; what the compiler says follows.\n${lastLines(compile.output)}`);
    }
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    writeStamp('dist', { sources });
  } finally {
    for (const path of [old, fresh]) rmSync(path, { recursive: true, force: true });
  }
}
