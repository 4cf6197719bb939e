import { describe, expect, it } from 'vitest';

import { compile } from '../../../ts/compiler/compile.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import { checkCounts } from '../../../ts/runtime/job/check-counts.ts';
import type { JobPlan } from '../../../ts/runtime/job/job-plan.ts';
import type { CoreEdgeMetrics, CoreMetrics, CoreTaskMetrics } from '../../../ts/runtime/job/job-result.ts';
import { COUNTERS_PER_NODE } from '../../../ts/runtime/stage/make-bindings.ts';

const RECORDS = 100;
const KEPT = 60;

/** A source that is filtered, and a map behind an exchange, with `copies` of each record. */
function job(strategy: 'hash' | 'broadcast'): { readonly plan: JobPlan; readonly metrics: (change?: (tasks: number[][], edges: CoreEdgeMetrics[]) => void) => CoreMetrics } {
  const env = new LocalEnvironment('counted');
  env.fromCollection([1]).filter(() => true).keyBy((n) => n, { strategy }).parallelism(2).map((n) => n).named('behind').sink([]);
  const { physical, graph } = compile(env.pipeline, env.config, { importable: false, cores: 4 });
  const plan = { name: 'counted', config: env.config, physical, graph } as unknown as JobPlan;
  const copies = strategy === 'broadcast' ? 2 : 1;
  const first = physical.exchanges[0]!;
  return {
    plan,
    metrics(change) {
      // What a task of the two stages reports: records that enter at a node, and those that it drops.
      const reported = graph.tasks.map((task) => {
        const { nodes } = physical.stages[task.stage]!;
        const values = Array.from({ length: nodes.length * COUNTERS_PER_NODE }, () => 0);
        for (const { id, op } of nodes) {
          if (op.kind === 'source') values[id] = RECORDS;
          if (op.kind === 'filter') values[nodes.length + id] = RECORDS - KEPT;
          if (op.kind === 'input' && task.stage === first.to.stage) values[id] = (KEPT * copies) / 2;
          if (op.kind === 'input' && task.stage !== first.to.stage) values[id] = KEPT * copies;
        }
        return values;
      });
      const edges = graph.edges.map(({ id, exchange }): CoreEdgeMetrics => {
        const of = graph.edges.filter((edge) => edge.exchange === exchange).length;
        const records = (KEPT * copies) / of;
        return { edge: id, sent: records, received: records, queued: 0, queuedBytes: 0 };
      });
      change?.(reported, edges);
      const tasks = graph.tasks.map((task) => ({ task: task.id, stage: task.stage, reported: reported[task.id]!, recordsSkipped: 0 }) as unknown as CoreTaskMetrics);
      return { state: 'finished', durationNanos: 0, tasks, edges };
    },
  };
}

describe.each(['hash', 'broadcast'] as const)('the counts of a job with an exchange, %s', (strategy) => {
  const { plan, metrics } = job(strategy);

  it('given that they add up, when they are checked, then nothing is said', () => {
    expect(() => checkCounts(plan, metrics())).not.toThrow();
  });

  it('given an operator that says it gave one more than its queues took, when they are checked, then it is named', () => {
    const source = plan.graph.tasks.find(({ isSource }) => isSource)!;
    const wrong = metrics((tasks) => void tasks[source.id]![0]!++);
    expect(() => checkCounts(plan, wrong)).toThrow(expect.objectContaining({ code: 'SAGE_JOB_COUNTS', declaredAt: expect.objectContaining({ file: import.meta.filename }) as unknown }) as Error);
  });

  it('given an operator that has not seen a record that was in its queue, when they are checked, then it is named', () => {
    const to = plan.physical.stages[plan.physical.exchanges.at(-1)!.to.stage]!;
    const input = to.nodes.find(({ op }) => op.kind === 'input')!;
    const task = plan.graph.tasks.find(({ stage }) => stage === to.id)!;
    const wrong = metrics((tasks) => void tasks[task.id]![input.id]!--);
    expect(() => checkCounts(plan, wrong)).toThrow(/took \d+ records, and its queues gave \d+/);
  });
});
