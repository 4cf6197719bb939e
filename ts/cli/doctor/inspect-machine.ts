import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';

import { SageError } from '../../common/errors.ts';
import { canGenerateCode } from '../../runtime/codec/can-generate-code.ts';
import { platformName } from '../../runtime/native/host-platform.ts';
import { loadCore } from '../../runtime/native/load-core.ts';
import { packageManifest } from '../package-version.ts';
import type { Machine } from './machine.ts';

/** Threads start within milliseconds; on a machine that is as slow as this nothing else would work either. */
const WORKER_DEADLINE_MS = 10_000;

/** The parts of Node's report that are looked at. */
interface Report {
  readonly header?: { readonly glibcVersionRuntime?: string };
  readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
}

/** Looks at the machine, the process and the package. */
export async function inspectMachine(): Promise<Machine> {
  const report = process.report.getReport() as Report;
  const manifest = packageManifest();
  const limitBytes = memoryLimit();
  return {
    node: { version: process.versions.node, wanted: manifest.engines.node, typescript: process.features.typescript ?? false },
    platform: { name: platformName(), glibc: report.header?.glibcVersionRuntime },
    core: { wanted: manifest.version, loaded: tryCore() },
    project: projectPackage(),
    workerProblem: await tryWorker(),
    code: { canGenerate: canGenerateCode(), isSwitchedOff: process.env['SAGE_CODEGEN'] === '0' },
    cores: { available: availableParallelism(), present: cpus().length },
    memory: { availableBytes: Math.min(process.availableMemory(), limitBytes), limitBytes, heapLimitBytes: getHeapStatistics().heap_size_limit },
    openFiles: openFiles(report),
    temporary: tryTemporary(),
  };
}

/** That of the control group, when there is one below what the machine has. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

function tryCore(): Machine['core']['loaded'] {
  try {
    return { version: loadCore().crateVersion() };
  } catch (error) {
    if (error instanceof SageError) return { problem: error.message, help: error.help };
    return { problem: `the native core does not answer: ${String(error)}`, help: 'Remove node_modules and install again.' };
  }
}

/** What a program in the working directory would import. */
function projectPackage(): Machine['project'] {
  try {
    const path = createRequire(join(process.cwd(), 'program.js')).resolve('sage-kernel/package.json');
    return { version: (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version };
  } catch {
    return undefined;
  }
}

async function tryWorker(): Promise<string | undefined> {
  const ended = Promise.withResolvers<string | undefined>();
  let worker: Worker;
  try {
    worker = new Worker('', { eval: true });
  } catch (error) {
    return String(error);
  }
  const deadline = setTimeout(() => ended.resolve(`none within ${WORKER_DEADLINE_MS / 1000} s`), WORKER_DEADLINE_MS);
  worker.once('error', (error) => ended.resolve(String(error)));
  worker.once('exit', (code) => ended.resolve(code === 0 ? undefined : `exit code ${code}`));
  const problem = await ended.promise;
  clearTimeout(deadline);
  await worker.terminate();
  return problem;
}

function openFiles({ userLimits }: Report): number | undefined {
  const soft = userLimits?.open_files?.soft;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : typeof soft === 'number' ? soft : undefined;
}

function tryTemporary(): Machine['temporary'] {
  const folder = tmpdir();
  try {
    const own = mkdtempSync(join(folder, 'sage-doctor-'));
    try {
      writeFileSync(join(own, 'file'), 'sage-kernel');
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
    const { bavail, bsize } = statfsSync(folder);
    return { folder, problem: undefined, freeBytes: bavail * bsize };
  } catch (error) {
    return { folder, problem: (error as Error).message, freeBytes: undefined };
  }
}
