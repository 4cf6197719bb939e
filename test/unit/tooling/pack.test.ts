import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readPackOptions } from '../../../scripts/pack/pack-options.mjs';
import { packedDocument, repositoryAddress } from '../../../scripts/pack/packed-documents.mjs';
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

describe('a document of the package', () => {
  const packed = new Set(['README.md', 'docs/guide.md', 'docs/api/README.md']);
  const address = 'https://forge.example/team/sage/blob/v1.2.3/';

  test.each([
    ['to a page of the package', '[guide](../guide.md#keys) and [`all`](README.md)', '[guide](../guide.md#keys) and [`all`](README.md)', '[guide](../guide.md#keys) and [`all`](README.md)'],
    ['to a folder of the package', '[docs](../)', '[docs](../)', '[docs](../)'],
    ['to a source', 'Source: [ts/a.ts:7](../../ts/a.ts#L7).', `Source: [ts/a.ts:7](${address}ts/a.ts#L7).`, 'Source: ts/a.ts:7.'],
    ['several on one line', '[a](../../a.md), [b](../../b.md)', `[a](${address}a.md), [b](${address}b.md)`, 'a, b'],
    ['to the web, or within the page', '[npm](https://npmjs.com) [below](#below)', '[npm](https://npmjs.com) [below](#below)', '[npm](https://npmjs.com) [below](#below)'],
    ['in an example', 'As\n```md\n[a](../../a.md)\n```\n', 'As\n```md\n[a](../../a.md)\n```\n', 'As\n```md\n[a](../../a.md)\n```\n'],
  ])('given a link %s, then it works where the package is installed', (_what, text, known, unknown) => {
    expect(packedDocument(text, 'docs/api/streams.md', packed, address)).toBe(known);
    expect(packedDocument(text, 'docs/api/streams.md', packed, undefined)).toBe(unknown);
  });

  test('given a repository, then files are read at the tag of the version', () => {
    const version = '1.2.3';
    expect(repositoryAddress({ version, repository: { url: 'git+https://forge.example/team/sage.git' } })).toBe(address);
    expect(repositoryAddress({ version, repository: 'https://forge.example/team/sage' })).toBe(address);
    expect(repositoryAddress({ version, repository: 'git@forge.example:team/sage.git' })).toBeUndefined();
    expect(repositoryAddress({ version })).toBeUndefined();
  });
});
