import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { oldNodeProblem } from '../../../ts/common/old-node-problem.ts';

describe('a Node that is too old', () => {
  test.each(['18.20.0', '20.20.2', '22.11.9'])('%s is told from which version on it works', (version) => {
    expect(oldNodeProblem(version)).toBe(`sage-kernel needs Node 22.12 or newer, and this is ${version}. Install a newer one, https://nodejs.org has it.`);
  });

  test.each(['22.12.0', '22.18.1', '24.0.0', '26.0.0', process.versions.node])('%s is none', (version) => {
    expect(oldNodeProblem(version)).toBeUndefined();
  });

  test('is older than the oldest that the package names', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { engines: { node: string } };
    const oldest = /^\^([\d.]+)/.exec(engines.node)![1]!;
    const [major, minor] = oldest.split('.').map(Number) as [number, number];
    expect(oldNodeProblem(oldest)).toBeUndefined();
    expect(oldNodeProblem(`${major}.${minor - 1}.9`)).toBeDefined();
  });
});
