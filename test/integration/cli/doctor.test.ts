import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';

import manifest from '../../../package.json' with { type: 'json' };
import type { Finding } from '../../../ts/cli/doctor/finding.ts';
import { sageKernel } from './run-cli.ts';

/** Every test starts processes of its own, several at a time. */
const TIMEOUT_MS = 60_000;

interface Report {
  readonly version: number;
  readonly status: Finding['status'];
  readonly findings: readonly Finding[];
}

async function doctor(nodeOptions: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; report: Report }> {
  const { code, stdout, stderr } = await sageKernel(['doctor', '--json'], { nodeOptions, env });
  expect(stdout.trimEnd().split('\n'), stderr).toHaveLength(1);
  return { code, report: JSON.parse(stdout) as Report };
}

describe.concurrent('sage-kernel doctor', { timeout: TIMEOUT_MS }, () => {
  test('of this machine: nothing fails, and what it says is so', async () => {
    const { code, report } = await doctor();
    expect(report.findings.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(code).toBe(0);
    const detail = (check: string): string => report.findings.find((finding) => finding.check === check)!.detail;
    expect(detail('node')).toContain(process.versions.node);
    expect(detail('core')).toContain(`native core ${manifest.version} for ${process.platform}-${process.arch}`);
    expect(detail('cores')).toMatch(new RegExp(`^${availableParallelism()} `));
  });

  test('text: a line for each finding and a sum', async () => {
    const { code, stdout } = await sageKernel(['doctor']);
    expect(stdout).toMatch(new RegExp(`^sage-kernel ${manifest.version}\n {2}ok {4}node +Node `));
    expect(stdout).toMatch(/\n\d+ ok, \d+ warnings, 0 failed\n$/);
    expect(code).toBe(0);
  });

  test('without generated code: a warning, and still exit code 0', async () => {
    const { code, report } = await doctor(['--disallow-code-generation-from-strings']);
    expect(report.findings.find(({ check }) => check === 'codegen')).toMatchObject({ status: 'warn', fix: expect.stringContaining('--disallow-code-generation') });
    expect(report.status).toBe('warn');
    expect(code).toBe(0);
  });

  test('where temporary files cannot be written: it fails, with exit code 1', async () => {
    const { code, report } = await doctor([], { TMPDIR: '/no/such/folder' });
    expect(report.findings.find(({ check }) => check === 'temporary')).toMatchObject({ status: 'fail', detail: expect.stringContaining('/no/such/folder'), fix: expect.stringContaining('TMPDIR') });
    expect(report.status).toBe('fail');
    expect(code).toBe(1);
  });

  test('where worker threads are forbidden: it fails, and says how to allow them', async () => {
    const { code, report } = await doctor(['--permission', '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons']);
    expect(report.findings.find(({ check }) => check === 'workers')).toMatchObject({ status: 'fail', fix: expect.stringContaining('--allow-worker') });
    expect(code).toBe(1);
  });

  test('where native code is forbidden: it fails, and does not break', async () => {
    const { code, report } = await doctor(['--permission', '--allow-fs-read=*', '--allow-fs-write=*', '--allow-worker']);
    expect(report.findings.find(({ check }) => check === 'core')).toMatchObject({ status: 'fail', detail: expect.stringContaining('does not load') });
    expect(code).toBe(1);
  });
});
