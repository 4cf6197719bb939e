import { fail, type Finding, ok, warn } from './finding.ts';
import type { Machine } from './machine.ts';
import { isInRange } from './node-range.ts';

const MiB = 2 ** 20;
/** A small job with two worker threads needs about a quarter of it. */
const LEAST_MEMORY_BYTES = 512 * MiB;
/** Readers, writers, worker threads and user code together. */
const LEAST_OPEN_FILES = 1024;
const LEAST_FREE_BYTES = 100 * MiB;

/** Judges a machine: one finding for each thing that pipelines need, in the order in which they need it. */
export function diagnose(machine: Machine): readonly Finding[] {
  return [node, typeScript, core, project, workers, code, cores, memory, heap, openFiles, temporary].flatMap((look) => look(machine));
}

function node({ node: { version, wanted } }: Machine): Finding {
  if (isInRange(version, wanted)) return ok('node', `Node ${version}; ${wanted} is needed`);
  return fail('node', `Node ${version}, but ${wanted} is needed`, 'Install one of these versions of Node.');
}

function typeScript({ node: { typescript } }: Machine): Finding {
  if (typescript !== false) return ok('typescript', `this Node runs TypeScript (${typescript})`);
  return warn('typescript', 'this Node runs no TypeScript', 'Use Node 22.18, 24 or newer, without --no-experimental-strip-types; or compile programs to JavaScript.');
}

function core({ platform: { name, glibc }, core: { wanted, loaded } }: Machine): Finding {
  const platform = glibc === undefined ? name : `${name}, glibc ${glibc}`;
  if ('problem' in loaded) return fail('core', `${loaded.problem} (${platform})`, loaded.help);
  if (loaded.version === wanted) return ok('core', `native core ${loaded.version} for ${platform}`);
  return fail('core', `the native core is of version ${loaded.version}, the package of ${wanted}`, 'Remove node_modules and install again, so that both are of one release.');
}

function project({ core: { wanted }, project }: Machine): Finding {
  if (project === undefined) return warn('project', 'programs in this folder find no sage-kernel to import', 'Run npm install sage-kernel here.');
  if (project.version === wanted) return ok('project', `programs in this folder import sage-kernel ${project.version}`);
  return warn('project', `programs in this folder import sage-kernel ${project.version}, this command is of ${wanted}`, "Run the project's own command: npx sage-kernel.");
}

function workers({ workerProblem }: Machine): Finding {
  if (workerProblem === undefined) return ok('workers', 'worker threads start');
  return fail('workers', `worker threads do not start: ${workerProblem}`, 'Allow them: under --permission with --allow-worker, in a container with a larger limit of processes.');
}

function code({ code: { canGenerate, isSwitchedOff } }: Machine): Finding {
  if (canGenerate) return ok('codegen', 'stages run as generated code');
  return isSwitchedOff
    ? warn('codegen', 'SAGE_CODEGEN=0: stages run without generated code, slower', 'Unset SAGE_CODEGEN.')
    : warn('codegen', 'new Function is forbidden here: stages run without generated code, slower', 'Run Node without --disallow-code-generation-from-strings.');
}

function cores({ cores: { available, present } }: Machine): Finding {
  const detail = available === present ? `${available} processors` : `${available} of ${present} processors`;
  if (available > 1) return ok('cores', detail);
  return warn('cores', `${detail}: worker threads would take turns`, 'Give this process more processors, or leave parallelism at 1.');
}

function memory({ memory: { availableBytes, limitBytes } }: Machine): Finding {
  const detail = `${mebibytes(availableBytes)} of ${mebibytes(limitBytes)} available`;
  if (availableBytes >= LEAST_MEMORY_BYTES) return ok('memory', detail);
  return warn('memory', detail, `Free memory or raise the limit: a job wants ${mebibytes(LEAST_MEMORY_BYTES)} beside your data.`);
}

function heap({ memory: { limitBytes, heapLimitBytes } }: Machine): Finding {
  const detail = `the JavaScript heap may grow to ${mebibytes(heapLimitBytes)}`;
  if (heapLimitBytes <= limitBytes) return ok('heap', detail);
  const wanted = Math.max(64, Math.floor((limitBytes / MiB) * 0.7));
  return warn('heap', `${detail}, beyond the ${mebibytes(limitBytes)} that this process may have`, `Set NODE_OPTIONS=--max-old-space-size=${wanted}, or raise the limit.`);
}

function openFiles({ openFiles }: Machine): Finding[] {
  if (openFiles === undefined) return [];
  const detail = openFiles === Number.POSITIVE_INFINITY ? 'any number of open files' : `${openFiles} open files`;
  return [openFiles >= LEAST_OPEN_FILES ? ok('files', detail) : warn('files', detail, `Raise the limit: ulimit -n ${LEAST_OPEN_FILES}.`)];
}

function temporary({ temporary: { folder, problem, freeBytes } }: Machine): Finding {
  if (problem !== undefined) return fail('temporary', `${folder} cannot be written to: ${problem}`, 'Set TMPDIR to a folder that can be written to.');
  if (freeBytes === undefined) return ok('temporary', `${folder} can be written to`);
  const detail = `${folder} can be written to, ${mebibytes(freeBytes)} free`;
  return freeBytes >= LEAST_FREE_BYTES ? ok('temporary', detail) : warn('temporary', detail, 'Free space there, or set TMPDIR to a folder with more.');
}

function mebibytes(bytes: number): string {
  return bytes >= 10 * 1024 * MiB ? `${(bytes / MiB / 1024).toFixed(1)} GiB` : `${Math.round(bytes / MiB)} MiB`;
}
