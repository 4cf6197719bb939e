import { hasInput } from '../../compiler/codegen/aggregates.ts';
import { type LayoutNode, numbersTuple } from '../../compiler/layout/layout.ts';
import type { Stage, StageOp } from '../../compiler/physical-plan.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { JobFacts, TaskSpec } from './stage-factory.ts';
import type { RunnerHost } from './runner-host.ts';
import { TimedOutput } from './timed-output.ts';

/** Makes the writer of an output, and what sends its watermarks. */
export function connectOutput(
  id: number,
  op: Extract<StageOp, { kind: 'output' }>,
  spec: TaskSpec,
  job: JobFacts,
  bindings: StageBindings,
  host: RunnerHost,
): void {
  const { keyed, timed, encoding, announced, spread } = job.exchanges[op.exchange]!;
  const { core, isolate, layouts } = host;
  const writer = new BatchWriter({
    registry: layouts.registry,
    keyed,
    timed,
    encoding,
    spread,
    row: extractedRow(spec.stage, id),
    announced,
    deliver: (image) => {
      if (core.emit(isolate, spec.task, op.output, image) === 0) bindings.control.stop = true;
    },
  });
  bindings.writers[id] = writer;
  if (!timed) return;
  const saysTime = op.timeless !== true;
  const output = new TimedOutput({
    flush: () => writer.flush(),
    emitTime: (watermark, isIdle) => {
      if (saysTime) core.emitTime(isolate, spec.task, op.output, watermark, isIdle);
    },
  });
  bindings.timedOutputs[id] = output;
  if (saysTime) bindings.times?.connect(id, output);
}

/** The layout of what an `extract` sends: the core reads it as it is, also where there is no input or more than an array of a user's would have columns. */
function extractedRow(stage: Stage, output: number): LayoutNode | undefined {
  const from = stage.nodes.find(({ children }) => children.includes(output));
  return from?.op.kind === 'extract' ? numbersTuple(Object.values(from.op.spec).filter(hasInput).length) : undefined;
}
