import { describe, expect, test } from 'vitest';

import { nodeVersionMatches } from '../../../scripts/setup/node-version.mjs';
import { diagnose } from '../../../ts/cli/doctor/diagnose.ts';
import type { Machine } from '../../../ts/cli/doctor/machine.ts';
import { isInRange } from '../../../ts/cli/doctor/node-range.ts';
import { doctorText } from '../../../ts/cli/doctor/run-doctor.ts';

const GiB = 2 ** 30;
const healthy: Machine = {
  node: { version: '24.1.0', wanted: '^22.12.0 || ^24.0.0 || >=26.0.0', typescript: 'strip' },
  platform: { name: 'linux-x64-gnu', glibc: '2.36' },
  core: { wanted: '0.1.0', loaded: { version: '0.1.0' } },
  project: { version: '0.1.0' },
  workerProblem: undefined,
  code: { canGenerate: true, isSwitchedOff: false },
  cores: { available: 8, present: 8 },
  memory: { availableBytes: 8 * GiB, limitBytes: 16 * GiB, heapLimitBytes: 4 * GiB },
  openFiles: 4096,
  temporary: { folder: '/tmp', problem: undefined, freeBytes: 50 * GiB },
};

test('a healthy machine: everything is ok, and nothing has a fix', () => {
  const findings = diagnose(healthy);
  expect(findings.filter(({ status, fix }) => status !== 'ok' || fix !== undefined)).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual(['node', 'typescript', 'core', 'project', 'workers', 'codegen', 'cores', 'memory', 'heap', 'files', 'temporary']);
});

describe('one thing that is wrong is one finding with one fix', () => {
  const { node, core, memory, temporary } = healthy;
  test.each<[string, Partial<Machine>, 'warn' | 'fail', RegExp, RegExp]>([
    ['node', { node: { ...node, version: '20.19.0' } }, 'fail', /Node 20\.19\.0, but/, /Install one of these/],
    ['typescript', { node: { ...node, typescript: false } }, 'warn', /runs no TypeScript/, /22\.18/],
    ['core', { core: { ...core, loaded: { version: '0.0.9' } } }, 'fail', /version 0\.0\.9, the package of 0\.1\.0/, /install again/],
    ['core', { core: { ...core, loaded: { problem: 'there is none', help: 'Build it.' } } }, 'fail', /there is none \(linux-x64-gnu, glibc 2\.36\)/, /^Build it\.$/],
    ['project', { project: undefined }, 'warn', /find no sage-kernel/, /npm install sage-kernel/],
    ['project', { project: { version: '0.2.0' } }, 'warn', /import sage-kernel 0\.2\.0, this command is of 0\.1\.0/, /npx sage-kernel/],
    ['workers', { workerProblem: 'ERR_ACCESS_DENIED' }, 'fail', /ERR_ACCESS_DENIED/, /--allow-worker/],
    ['codegen', { code: { canGenerate: false, isSwitchedOff: true } }, 'warn', /SAGE_CODEGEN=0/, /Unset SAGE_CODEGEN/],
    ['codegen', { code: { canGenerate: false, isSwitchedOff: false } }, 'warn', /forbidden/, /--disallow-code-generation-from-strings/],
    ['cores', { cores: { available: 1, present: 8 } }, 'warn', /1 of 8 processors/, /more processors/],
    ['memory', { memory: { ...memory, availableBytes: 100 * 2 ** 20 } }, 'warn', /^100 MiB of 16\.0 GiB/, /Free memory/],
    ['heap', { memory: { ...memory, limitBytes: GiB, availableBytes: GiB } }, 'warn', /4096 MiB, beyond the 1024 MiB/, /--max-old-space-size=716/],
    ['files', { openFiles: 256 }, 'warn', /^256 open files/, /ulimit -n 1024/],
    ['temporary', { temporary: { ...temporary, problem: 'EACCES' } }, 'fail', /EACCES/, /Set TMPDIR/],
    ['temporary', { temporary: { ...temporary, freeBytes: 10 } }, 'warn', /0 MiB free/, /Free space/],
  ])('%s %j', (check, change, status, detail, fix) => {
    const findings = diagnose({ ...healthy, ...change }).filter((finding) => finding.status !== 'ok');
    expect(findings).toEqual([{ check, status, detail: expect.stringMatching(detail), fix: expect.stringMatching(fix) }]);
    const text = doctorText(findings, false).join('\n');
    expect(text).toContain(`  ${status}  ${check}  ${findings[0]!.detail}\n`);
    expect(text).toContain(`fix: ${findings[0]!.fix}`);
  });

  test('a limit that the system does not have is not looked at; one that it has and does not set is fine', () => {
    expect(diagnose({ ...healthy, openFiles: undefined }).some(({ check }) => check === 'files')).toBe(false);
    expect(diagnose({ ...healthy, openFiles: Number.POSITIVE_INFINITY }).find(({ check }) => check === 'files')).toMatchObject({ status: 'ok' });
  });
});

describe('a range of versions of Node', () => {
  // Set-up has a reader of its own, which must work before anything is installed.
  test.each(['18.20.0', '20.19.0', '22.11.9', '22.12.0', '22.18.1', '23.5.0', '24.0.0', '24.21.0', '25.0.0', '26.0.0', '31.2.3'])('%s: as set-up judges it', (version) => {
    for (const range of ['^22.12.0 || ^24.0.0 || >=26.0.0', '^24.1.0', '>=22.18.0']) expect(isInRange(version, range), range).toBe(nodeVersionMatches(version, range));
  });

  test('of another kind is refused, not misread', () => {
    expect(() => isInRange('24.0.0', '~24.0.0')).toThrow(/cannot read the range '~24\.0\.0'/);
  });
});
