import { describe, expect, test } from 'vitest';

import type { PlanDescription } from '../../../ts/transformations/plan-description.ts';
import { program, sageKernel } from './run-cli.ts';

/** Every test starts processes of its own, several at a time. */
const TIMEOUT_MS = 60_000;

describe.concurrent('sage-kernel explain', { timeout: TIMEOUT_MS }, () => {
  test('a program: the plans of its first submit; no job runs and nothing behind it', async () => {
    const { code, stdout, stderr } = await sageKernel(['explain', program('squares-script.ts'), '--', '4', '2']);
    expect(stdout).toMatch(/^Logical plan\n[^]*\nOptimised plan\n[^]*\nPhysical plan\n[^]*\nExecution graph/);
    expect(stdout).toContain("map 'map'");
    expect(stdout).toContain('2 worker threads');
    expect(stdout).not.toContain('square 1');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  test('one level', async () => {
    const { stdout } = await sageKernel(['explain', program('squares-script.ts'), '--level', 'physical']);
    expect(stdout).toMatch(/^Physical plan\n/);
    expect(stdout).not.toContain('Logical plan');
  });

  test('a program that submits after its top level is done, and one that never ends', async () => {
    const late = await sageKernel(['explain', program('late-submit.ts'), '--level', 'logical']);
    expect(late).toMatchObject({ code: 0, stdout: expect.stringContaining("source 'source'") });
    const endless = await sageKernel(['explain', program('endless.ts'), '--level', 'logical']);
    expect(endless).toMatchObject({ code: 0, stdout: expect.stringContaining("sink 'sink'") });
  });

  test('an exported pipeline with its argument and parallelism', async () => {
    const { code, stdout } = await sageKernel(
      ['explain', program('pipelines.ts'), '--pipeline', 'remainders', '--parallelism', '3', '--level', 'physical'],
    );
    expect(stdout).toContain('stage 0: parallelism 3');
    expect(code).toBe(0);
  });

  test('--json: one line, the plan as data', async () => {
    const { stdout } = await sageKernel(['explain', program('squares-script.ts'), '--json', '--', '4', '2']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const plan = JSON.parse(stdout) as PlanDescription;
    expect(plan).toMatchObject({ version: 1, name: 'squares', isolates: { workers: 2 } });
    expect(plan.operators.map(({ kind, name }) => [kind, name])).toEqual([['source', 'source'], ['map', 'map'], ['sink', 'print']]);
    expect(plan.operators[1]).toMatchObject({ declaredAt: { file: program('squares-script.ts'), line: expect.any(Number) } });
  });

  test('--json of a plan that is wrong, or a program that fails: its error, as run has it', async () => {
    const plan = await sageKernel(['explain', program('pipelines.ts'), '--pipeline', 'unfinished', '--json']);
    expect(plan.code).toBe(1);
    expect(JSON.parse(plan.stdout)).toEqual({ error: expect.objectContaining({ code: 'SAGE_PLAN_NO_SINK', declaredAt: expect.stringMatching(/pipelines\.ts:29:\d+$/) }) });
    const thrown = await sageKernel(['explain', program('throws.ts'), '--json']);
    expect(thrown.code).toBe(1);
    expect(JSON.parse(thrown.stdout)).toEqual({ error: { message: 'TypeError: the program itself is broken' } });
  });

  test('--json of an exported pipeline', async () => {
    const { stdout } = await sageKernel(['explain', program('one-pipeline.ts'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, name: 'one-pipeline', operators: [{ kind: 'source' }, { kind: 'map' }, { kind: 'sink' }] });
  });

  test('--mermaid and --svg: pictures as text, of programs and of exported pipelines', async () => {
    const mermaid = await sageKernel(['explain', program('squares-script.ts'), '--mermaid', '--', '4', '2']);
    expect(mermaid.stdout).toMatch(/^flowchart TB\n {2}subgraph stage0\["stage 0: /);
    expect(mermaid.stdout).toContain(`["map 'map'"]`);
    const svg = await sageKernel(['explain', program('pipelines.ts'), '--pipeline', 'remainders', '--svg']);
    expect(svg.stdout).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^]*<\/svg>\n$/);
    expect([mermaid.code, svg.code]).toEqual([0, 0]);
  });

  test('a plan that is wrong: exit code 1 and nothing on standard output', async () => {
    const { code, stdout, stderr } = await sageKernel(['explain', program('pipelines.ts'), '--pipeline', 'unfinished']);
    expect(stderr).toMatch(/^SAGE_PLAN_NO_SINK: /);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  test('a file without a pipeline: exit code 2', async () => {
    const { code, stderr } = await sageKernel(['explain', program('no-pipeline.ts')]);
    expect(stderr).toMatch(/There is no pipeline in /);
    expect(code).toBe(2);
  });

  test('options of exported pipelines for a program that submits: exit code 2', async () => {
    const { code, stderr } = await sageKernel(['explain', program('squares-script.ts'), '--args', '{}']);
    expect(stderr).toMatch(/^sage-kernel: --args is for pipelines that a module exports/);
    expect(code).toBe(2);
  });
});

describe('a Node that does not strip types', () => {
  test('is named, with both ways out', async () => {
    // Given the command as JavaScript (dist/ is what a user has), and a program in TypeScript
    const { existsSync } = await import('node:fs');
    const { fileURLToPath } = await import('node:url');
    const { spawnSync } = await import('node:child_process');
    const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
    expect(existsSync(main), 'dist/ is missing: run npm run setup').toBe(true);
    // When Node does not strip types
    const outcome = spawnSync(process.execPath, ['--no-experimental-strip-types', main, 'run', program('one-pipeline.ts')], { encoding: 'utf8' });
    // Then
    expect(outcome.stderr).toMatch(/^sage-kernel: This Node \(v[\d.]+\) does not run TypeScript as it is/);
    expect(outcome.stderr).toContain('Use Node 22.18, 24 or newer, or compile the program');
    expect(outcome.status).toBe(2);
  });
});
