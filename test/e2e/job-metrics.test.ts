import { expect, test } from 'vitest';

import { definePipeline, type JobMetrics, LocalEnvironment, type StageMetrics } from '../../ts/index.ts';

// A pipeline that can be held still: the sink takes records only as the test lets it. Its functions run in the main isolate,
// where a promise that is pending holds the stage.

const stageOf = ({ stages }: JobMetrics, name: string): StageMetrics => stages.find((stage) => stage.name.includes(name))!;

test('a sink that takes nothing: its queue is full, the source is held back, and the metrics say so', async () => {
  // Given an endless source at parallelism 2 before a sink at 1 that waits at its first record
  const env = new LocalEnvironment('held back', { parallelism: 2 });
  const gate = Promise.withResolvers<void>();
  let n = 0;
  env
    .fromSource(() => n++, { unbounded: true })
    .named('numbers')
    .map((value) => ({ value }))
    .keyBy((record) => record.value % 7)
    .map((record) => record)
    .named('behind')
    .sink(() => gate.promise, { parallelism: 1 })
    .named('slow');
  const job = await env.submit();
  // When nothing moves any more: every stage before the sink waits for credit
  await expect
    .poll(() => {
      const before = job.metrics();
      return before.edges.at(-1)!.queueFill >= 1 && stageOf(before, 'numbers').backPressuredTimeMs > 0;
    }, { interval: 5, timeout: 15_000 })
    .toBe(true);
  const full = job.metrics();
  // Then the edge before the sink holds what was sent and not received
  for (const { sent, received, queuedRecords, queuedBytes, queueFill } of full.edges) {
    expect(queuedRecords).toBe(sent - received);
    expect(queuedBytes > 0).toBe(queuedRecords > 0);
    expect(queueFill > 0).toBe(queuedRecords > 0);
  }
  const sink = stageOf(full, 'slow');
  expect(sink.queueFill).toBe(full.edges.at(-1)!.queueFill);
  expect(stageOf(full, 'numbers').queueFill).toBeUndefined();
  expect(stageOf(full, 'numbers').finishedInstances).toBe(0);
  // Stages are the sums of their tasks, and times those since the job began
  for (const stage of full.stages) {
    const tasks = full.tasks.filter((task) => task.stage === stage.name);
    expect(tasks).toHaveLength(stage.instances);
    for (const field of ['numRecordsIn', 'numRecordsOut', 'busyTimeMs', 'idleTimeMs', 'backPressuredTimeMs'] as const) {
      expect(stage[field]).toBeCloseTo(tasks.reduce((sum, task) => sum + task[field], 0), 6);
    }
  }
  expect(full.stages.flatMap(({ operators }) => operators).toSorted((a, b) => a - b)).toEqual(full.operators.map(({ id }) => id));
  // And when the sink goes on and the job stops, the queues are empty and all instances have ended
  gate.resolve();
  await job.stop();
  const end = job.metrics();
  expect(end.edges.map(({ queuedRecords, queuedBytes, queueFill }) => [queuedRecords, queuedBytes, queueFill])).toEqual(end.edges.map(() => [0, 0, 0]));
  expect(end.stages.map(({ instances, finishedInstances }) => finishedInstances - instances)).toEqual(end.stages.map(() => 0));
});

test('explain({ format }) of an environment and of a definition is the same plan in every form', async () => {
  const build = (env: LocalEnvironment): void => void env.fromCollection([1, 2, 3]).map((n) => n * 2).print();
  const env = new LocalEnvironment('forms');
  build(env);
  const plan = env.explain({ format: 'json' });
  expect(plan).toMatchObject({ version: 1, name: 'forms', operators: [{ kind: 'source' }, { kind: 'map' }, { kind: 'sink' }] });
  expect(env.explain({ format: 'mermaid' })).toMatch(/^flowchart TB\n/);
  expect(env.explain({ format: 'svg' })).toMatch(/^<svg /);
  expect(env.explain({ format: 'text', level: 'physical' })).toBe(env.explain('physical'));
  expect(env.explain({})).toBe(env.explain());

  const defined = definePipeline(import.meta.url, build);
  const described = await defined.explain({}, { name: 'forms', format: 'json' });
  expect({ ...described, operators: [], isolates: plan.isolates }).toEqual({ ...plan, operators: [] });
  expect(await defined.explain({}, { format: 'mermaid' })).toBe(env.explain({ format: 'mermaid' }));
  expect(await defined.explain({}, { level: 'logical' })).toMatch(/^Logical plan\n/);
});

test.each([
  [{ format: 'xml' }, /format of explain is the string "xml".*expected: 'text', 'json', 'mermaid', 'svg'/s],
  [{ format: 'svg', level: 'all' }, /was given a level beside the format 'svg'/],
  [{ form: 'svg' }, /explain has no option 'form'/],
  [{ level: 'every' }, /explain was given the string "every"/],
  [7, /explain was given the number 7|explain was given 7/],
  [null, /explain was given null/],
])('explain(%j) is refused', (request, message) => {
  const env = new LocalEnvironment('wrong');
  env.fromCollection([1]).print();
  expect(() => env.explain(request as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringMatching(message) }));
});
