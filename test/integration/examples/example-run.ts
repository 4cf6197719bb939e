import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';

/** Where the examples are. */
export const EXAMPLES: string = fileURLToPath(new URL('../../../examples/', import.meta.url));
/** For one run of an example, which starts a process. */
export const TIMEOUT_MS = 60_000;

/** Runs examples in an empty folder, as users do. */
export interface ExampleFolder {
  /** Runs an example to its end. Gives what it prints. */
  run(name: string, options?: { readonly args?: readonly string[]; readonly input?: string; readonly env?: Readonly<Record<string, string>> }): string;
  /** The records of a file of JSON lines that it wrote. */
  recordsOf<T>(path: string): T[];
  textOf(path: string): string;
  pathOf(path: string): string;
}

/** A folder for the tests of one file, which is removed behind them. */
export function exampleFolder(): ExampleFolder {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sage-examples-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const pathOf = (path: string): string => join(folder, path);
  const textOf = (path: string): string => readFileSync(pathOf(path), 'utf8');
  return {
    pathOf,
    textOf,
    run(name, { args = [], input, env = {} } = {}) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(EXAMPLES, name, 'main.ts'), ...args], { cwd: folder, encoding: 'utf8', input: input ?? '', env: { ...process.env, ...env }, timeout: TIMEOUT_MS - 5_000 });
      expect(status, stderr).toBe(0);
      return stdout;
    },
    recordsOf: <T>(path: string) =>
      textOf(path)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as T),
  };
}

/** The text of a data set of `vega-datasets`. */
export function dataset(name: string): string {
  return readFileSync(join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data', name), 'utf8');
}
