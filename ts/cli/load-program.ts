import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { setEntryFile } from '../runtime/worker/pipeline-origin.ts';
import { UsageError } from './usage-error.ts';

/** The file as Node will know it. @throws UsageError when there is none. */
export function resolveProgram(file: string): string {
  const path = resolve(file);
  if (!existsSync(path)) throw new UsageError(`There is no file ${path}.`);
  if (!statSync(path).isFile()) throw new UsageError(`${path} is no file. Give the program itself, such as ${join(file, 'main.ts')}.`);
  return realpathSync(path);
}

/**
 * Runs the program as if Node had been started with it: its arguments are in `process.argv`, and worker threads run it
 * again. Resolves to its exports when its top level is done.
 *
 * @throws UsageError when this Node cannot load such a file, else whatever the program throws.
 */
export async function loadProgram(path: string, args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  process.argv.splice(1, process.argv.length, path, ...args);
  setEntryFile(path);
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw loadProblem(path, error) ?? error;
  }
}

/** Whether the program only does something when it is what Node was started with, as it is not here. */
export function asksForMain(path: string): boolean {
  return /\bimport\.meta\.main\b|\brequire\.main\b/.test(readFileSync(path, 'utf8'));
}

/** What is wrong with loading, in words that say what to do; `undefined` when the program itself failed. */
function loadProblem(path: string, error: unknown): UsageError | undefined {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  switch (code) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      if (!/\.[cm]?tsx?\b/.test(String(message))) return String(message).includes(path) ? noProgram(path, error) : undefined;
      return new UsageError(
        `This Node (${process.version}) does not run TypeScript as it is, or not this kind of file: ${String(message)}.\n` +
          'Use Node 22.18, 24 or newer, or compile the program and run the JavaScript.',
        { cause: error },
      );
    case 'ERR_IMPORT_ATTRIBUTE_MISSING':
      return String(message).includes(pathToFileURL(path).href) ? noProgram(path, error) : undefined;
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return new UsageError(
        `${path} needs more than its types stripped: ${firstLine(message)}\n` +
          'Node runs TypeScript without enums, namespaces and parameter properties (erasableSyntaxOnly in tsconfig.json finds them); or compile the program.',
        { cause: error },
      );
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return new UsageError(`Node strips no types inside node_modules: ${firstLine(message)}\nCompile that package to JavaScript.`, { cause: error });
    case 'ERR_MODULE_NOT_FOUND':
      if (!/'sage-kernel'/.test(String(message))) return undefined;
      return new UsageError(`${path} imports sage-kernel, which is not installed where it lies. Run npm install sage-kernel there.`, { cause: error });
    default:
      return undefined;
  }
}

function noProgram(path: string, cause: unknown): UsageError {
  return new UsageError(`${path} is no program: give a file with JavaScript or TypeScript, such as main.ts.`, { cause });
}

/** Whether it makes an environment, which it may have forgotten to submit. */
export function makesEnvironment(path: string): boolean {
  return /\bnew LocalEnvironment\b/.test(readFileSync(path, 'utf8'));
}

function firstLine(message: unknown): string {
  return String(message).split('\n')[0]!;
}
