import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { checkNativeTools, checkNpm, checkScriptNode, minimumRust } from '../../../scripts/setup/check-tools.mjs';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-tools-'));
  // A machine that has only what a test puts there; /bin/sh runs without a path.
  vi.stubEnv('PATH', folder);
  vi.stubEnv('CC', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const give = (tool: string, version: string): void => {
  writeFileSync(join(folder, tool), `#!/bin/sh\necho '${tool} ${version}'\n`);
  chmodSync(join(folder, tool), 0o755);
};

describe.skipIf(process.platform === 'win32')('a missing tool is one sentence with the fix', () => {
  test('given no cargo, then it says where Rust comes from', async () => {
    await expect(checkNativeTools()).rejects.toThrow(/^cargo was not found: install Rust 1\.90 or newer from https:\/\/rustup\.rs and open a new terminal\.$/);
  });

  test('given a Rust that is too old, then it says what is needed', async () => {
    give('cargo', '1.70.0 (abc 2023-06-01)');
    await expect(checkNativeTools()).rejects.toThrow('cargo 1.70.0 is too old, 1.90 is needed: run rustup update stable.');
    give('cargo', '1.95.0');
    give('rustc', '1.89.9');
    await expect(checkNativeTools()).rejects.toThrow('rustc 1.89.9 is too old');
  });

  test('given no C compiler, then it names it and one way to get one', async () => {
    give('cargo', '1.95.0');
    give('rustc', '1.95.0');
    await expect(checkNativeTools()).rejects.toThrow(/^No C compiler was found \('cc'\): /);
    vi.stubEnv('CC', 'other-cc');
    await expect(checkNativeTools()).rejects.toThrow(/'other-cc'/);
  });

  test('given all of them, then it says nothing', async () => {
    for (const tool of ['cargo', 'rustc']) give(tool, minimumRust());
    give('cc', '12');
    await checkNativeTools();
  });

  test('given no npm, then it says where it comes from', async () => {
    await expect(checkNpm()).rejects.toThrow('npm was not found: install Node.js together with npm from https://nodejs.org.');
  });

  test('given a Node below 18, then it says what is needed', () => {
    expect(() => checkScriptNode('16.20.2')).toThrow('Node 16.20.2 is too old to set up this project: install Node 18 or newer from https://nodejs.org.');
    checkScriptNode('18.0.0');
  });
});
