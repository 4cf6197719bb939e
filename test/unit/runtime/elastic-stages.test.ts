import { describe, expect, test } from 'vitest';

import { compile } from '../../../ts/compiler/compile.ts';
import { ElasticStages } from '../../../ts/runtime/job/elastic-stages.ts';
import type { CoreMetrics, CoreTaskMetrics } from '../../../ts/runtime/job/job-result.ts';
import { PipelineBuilder } from '../compiler/pipeline-builder.ts';

/** A reader, an elastic map, and an array: task 0 reads, tasks 1 to `cores` are the map's instances, the last is the sink. */
function planOf(cores: number): ConstructorParameters<typeof ElasticStages>[0] {
  const build = new PipelineBuilder();
  const file = build.file({ type: 'textLines', path: 'in.txt' }, { parallelism: 1 });
  build.sink(build.map(file, { name: 'parse', parallelism: 'auto' }));
  return compile(build.pipeline, {}, { importable: true, cores });
}

/** What a task does between two looks: shares of the time, and records a second. */
interface Work {
  readonly busy?: number;
  readonly backpressured?: number;
  readonly taken?: number;
}

/** A job whose counts are what a test says. */
class FakeCounts {
  readonly #tasks: { awake: boolean; busyNanos: number; backpressuredNanos: number; recordsIn: number }[];
  readonly #plan: ReturnType<typeof planOf>;
  #ms = 0;

  constructor(plan: ReturnType<typeof planOf>) {
    this.#plan = plan;
    this.#tasks = plan.graph.tasks.map(({ dormant }) => ({ awake: !dormant, busyNanos: 0, backpressuredNanos: 0, recordsIn: 0 }));
  }

  wake(task: number): void {
    this.#tasks[task]!.awake = true;
  }

  /** The counts after some time in which tasks worked so; `queued` records wait in each queue of the map. */
  after(ms: number, work: Readonly<Record<number, Work>>, queued = 0, state = 'running'): CoreMetrics {
    this.#ms += ms;
    for (const [task, { busy = 0, backpressured = 0, taken = 0 }] of Object.entries(work)) {
      const counts = this.#tasks[Number(task)]!;
      counts.busyNanos += busy * ms * 1e6;
      counts.backpressuredNanos += backpressured * ms * 1e6;
      counts.recordsIn += (taken * ms) / 1000;
    }
    const { tasks, edges } = this.#plan.graph;
    return {
      state,
      durationNanos: this.#ms * 1e6,
      tasks: tasks.map(({ id, stage, instance, isolate }): CoreTaskMetrics => ({
        task: id, stage, instance, isolate, ...this.#tasks[id]!,
        finished: false, recordsOut: 0, recordsSkipped: 0, bytesIn: 0, bytesOut: 0, batchesIn: 0, batchesOut: 0, idleNanos: 0, reported: [],
      })),
      edges: edges.map(({ id, fromTask, toTask }) => ({ edge: id, sent: 0, received: 0, queuedBytes: 0, queued: fromTask === 0 && this.#tasks[toTask]!.awake ? queued : 0 })),
    };
  }
}

const READER = 0;
const FIRST = 1;
const SECOND = 2;
const hot = { [READER]: { backpressured: 0.9 }, [FIRST]: { busy: 0.95, taken: 1000 } } as const;

function started(cores = 2): { stages: ElasticStages; counts: FakeCounts; sink: number } {
  const plan = planOf(cores);
  const stages = new ElasticStages(plan);
  const counts = new FakeCounts(plan);
  expect(stages.look(counts.after(0, {}))).toBeUndefined();
  return { stages, counts, sink: cores + 1 };
}

describe('a stage gets a second instance', () => {
  test('when two looks in a row find it busy and its input waiting, with the numbers in words', () => {
    const { stages, counts } = started();

    const looks = [stages.look(counts.after(250, hot, 3000)), stages.look(counts.after(250, hot, 3000))];

    expect(looks).toEqual([undefined, 1]);
    expect(stages.decisions).toEqual([
      { stage: 'parse', instances: 2, atMs: 500, reason: "the main isolate was busy 95 % of 500 ms, 95 % with 'parse', and 3,000 records waited for it: a second instance" },
    ]);
  });

  test('also when the reader does not wait, if its queue is half full', () => {
    const { stages, counts } = started();
    const work = { [FIRST]: { busy: 0.95 } };

    expect([stages.look(counts.after(250, work, 2048)), stages.look(counts.after(250, work, 2048))]).toEqual([undefined, 1]);
  });

  test('also when the reader is at its end and a few records wait, if they will take it long', () => {
    const { stages, counts } = started();
    const work = { [FIRST]: { busy: 0.95, taken: 50 } };

    expect([stages.look(counts.after(250, work, 60)), stages.look(counts.after(250, work, 60))]).toEqual([undefined, 1]);
  });

  test('counting everything that runs in its thread, of which it needs a good part itself', () => {
    const shared = started();
    const mostly = { [READER]: { backpressured: 1 }, [FIRST]: { busy: 0.5 }, [shared.sink]: { busy: 0.45 } };
    expect([shared.stages.look(shared.counts.after(250, mostly, 4096)), shared.stages.look(shared.counts.after(250, mostly, 4096))]).toEqual([undefined, 1]);
    expect(shared.stages.decisions[0]!.reason).toContain("busy 95 % of 500 ms, 50 % with 'parse'");

    const crowded = started();
    const hardly = { [READER]: { backpressured: 1 }, [FIRST]: { busy: 0.1 }, [crowded.sink]: { busy: 0.85 } };
    expect([crowded.stages.look(crowded.counts.after(250, hardly, 4096)), crowded.stages.look(crowded.counts.after(250, hardly, 4096))]).toEqual([undefined, undefined]);
  });

  test('never more than there are processors', () => {
    const { stages, counts } = started();
    stages.look(counts.after(250, hot, 3000));
    stages.look(counts.after(250, hot, 3000));
    counts.wake(SECOND);

    for (let n = 0; n < 20; n++) expect(stages.look(counts.after(250, { ...hot, [SECOND]: { busy: 0.95, taken: 1000 } }, 3000))).toBeUndefined();

    expect(stages.decisions).toHaveLength(1);
  });
});

describe('a stage is left as it is', () => {
  const cases: Record<string, { readonly work: Readonly<Record<number, Work>>; readonly queued: number }> = {
    'that is not busy': { work: { [READER]: { backpressured: 0.9 }, [FIRST]: { busy: 0.7 } }, queued: 4096 },
    'whose input does not wait long': { work: { [FIRST]: { busy: 0.95, taken: 200 } }, queued: 100 },
    'whose queue is empty though the reader waits for another one': { work: { [READER]: { backpressured: 0.9 }, [FIRST]: { busy: 0.95 } }, queued: 0 },
    'that is itself held up by what is behind it': { work: { [READER]: { backpressured: 0.9 }, [FIRST]: { busy: 0.85, backpressured: 0.3 } }, queued: 4096 },
  };

  test.each(Object.entries(cases))('%s', (_, { work, queued }) => {
    const { stages, counts } = started();

    for (let n = 0; n < 6; n++) expect(stages.look(counts.after(250, work, queued))).toBeUndefined();

    expect(stages.decisions).toEqual([]);
  });

  test('when it was the bottleneck for one look only, or the job was paused in between', () => {
    const { stages, counts } = started();
    for (let n = 0; n < 3; n++) {
      expect(stages.look(counts.after(250, hot, 3000))).toBeUndefined();
      expect(stages.look(counts.after(250, {}, 0))).toBeUndefined();
      expect(stages.look(counts.after(250, hot, 3000))).toBeUndefined();
      expect(stages.look(counts.after(250, {}, 3000, 'paused'))).toBeUndefined();
      expect(stages.look(counts.after(250, {}, 3000))).toBeUndefined();
    }
  });

  test('by looks that come too soon one after the other', () => {
    const { stages, counts } = started();

    for (let n = 0; n < 9; n++) expect(stages.look(counts.after(25, hot, 3000))).toBeUndefined();
  });

  test.each(['initializing', 'stopping', 'failed', 'canceled', 'finished'])('in a job that is %s', (state) => {
    const { stages, counts } = started();

    for (let n = 0; n < 4; n++) expect(stages.look(counts.after(250, hot, 3000, state))).toBeUndefined();
  });
});

describe('a third instance', () => {
  const both = (taken: number): Record<number, Work> => ({ ...hot, [FIRST]: { busy: 0.95, taken }, [SECOND]: { busy: 0.9, taken } });

  test('comes only when the second has worked for a second, and was worth it', () => {
    const { stages, counts } = started(4);
    stages.look(counts.after(250, hot, 3000));
    expect(stages.look(counts.after(250, hot, 3000))).toBe(1);
    // However long its thread needs to start.
    for (let n = 0; n < 12; n++) expect(stages.look(counts.after(250, hot, 3000))).toBeUndefined();
    counts.wake(SECOND);

    const looks = Array.from({ length: 8 }, () => stages.look(counts.after(250, both(900), 3000)));

    expect(looks.filter((look) => look !== undefined)).toEqual([2]);
    expect(looks.slice(0, 5).every((look) => look === undefined)).toBe(true);
    expect(stages.decisions[1]).toMatchObject({ stage: 'parse', instances: 3 });
    expect(stages.decisions[1]!.reason).toMatch(/^each of the 2 isolates of 'parse' was busy 90 % of 500 ms, .* a third instance$/);
  });

  test('does not come when the second has brought less than a tenth', () => {
    const { stages, counts } = started(4);
    stages.look(counts.after(250, hot, 3000));
    stages.look(counts.after(250, hot, 3000));
    counts.wake(SECOND);

    for (let n = 0; n < 20; n++) expect(stages.look(counts.after(250, both(520), 3000))).toBeUndefined();

    expect(stages.decisions.slice(1)).toEqual([
      { stage: 'parse', instances: 2, atMs: 1750, reason: "the last instance of 'parse' brought little (1,000 records a second before, 1,040 with it): no other one" },
    ]);
  });
});
