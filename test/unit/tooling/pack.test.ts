import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readPackOptions } from '../../../scripts/pack/pack-options.mjs';
import { allTargets, hostTarget, targetOf } from '../../../scripts/pack/targets.mjs';
import { platformName } from '../../../ts/runtime/native/host-platform.ts';

const main = fileURLToPath(new URL('../../../scripts/pack/main.mjs', import.meta.url));
let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sage-pack-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pack = (...args: string[]): { status: number | null; stderr: string } => spawnSync(process.execPath, [main, '--output', join(folder, 'out'), ...args], { encoding: 'utf8' });

describe('npm run pack', () => {
  test('given nothing, then it packs what is built for this machine', () => {
    expect(readPackOptions([])).toEqual({ targets: [], all: false, from: undefined, output: 'out/packages', repository: undefined, help: false });
    expect(hostTarget().platform).toBe(platformName());
  });

  test('given an option that does not exist, then it says which do', () => {
    expect(() => readPackOptions(['--targets', 'x'])).toThrow(/--targets[\s\S]*--target <triple>/);
  });

  test('given a target that is not published, then it names those that are', () => {
    expect(() => targetOf('wasm32-wasip1')).toThrow(`'wasm32-wasip1' is no target of this package: use one of ${allTargets().map(({ triple }) => triple).join(', ')}.`);
    expect(pack('--target', 'wasm32-wasip1').stderr).toMatch(/^'wasm32-wasip1' is no target/);
  });

  test('given a folder without binaries, then it names what it looked for', () => {
    const { status, stderr } = pack('--from', folder);
    expect(status).toBe(1);
    for (const { binary } of allTargets()) expect(stderr).toContain(binary);
  });

  test('given that all are wanted and one is there, then it names the others', () => {
    const [first, ...others] = allTargets();
    writeFileSync(join(folder, first!.binary), '');
    const { status, stderr } = pack('--from', folder, '--all');
    expect(status).toBe(1);
    expect(stderr).not.toContain(`${first!.binary}`);
    for (const { binary } of others) expect(stderr).toContain(binary);
  });

  test('package and crates have one version, which the loader compares', () => {
    const text = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
    expect(/^version = "(.+)"$/m.exec(text('Cargo.toml'))?.[1]).toBe((JSON.parse(text('package.json')) as { version: string }).version);
  });
});
