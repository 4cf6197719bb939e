import { type Clock, systemClock } from '../../../../ts/common/clock.ts';
import { realPace } from '../../../../ts/runtime/isolate/schedule.ts';
import type { LogicalOperator } from '../../../../ts/compiler/logical-plan.ts';
import type { StageNode, StageOp } from '../../../../ts/compiler/physical-plan.ts';
import type { ErrorPolicy } from '../../../../ts/transformations/error-policy.ts';
import type { Pushed } from '../../../../ts/runtime/stage/linked-node.ts';
import type { StageBindings } from '../../../../ts/runtime/stage/stage-bindings.ts';
import { StageControl } from '../../../../ts/runtime/stage/stage-control.ts';

/** A node alone in its stage; `isKeyed`: behind a keyBy. */
export function nodeOf(op: StageOp, errorPolicy?: ErrorPolicy, isKeyed = false): StageNode {
  const transformation = { kind: op.kind, inputs: [{ keyedBy: isKeyed ? { strategy: 'hash' } : undefined }], errorPolicy, declaredAt: { file: 'test', line: 1, column: 1 } };
  return { id: 0, op, operator: { id: 1, name: op.kind, transformation } as unknown as LogicalOperator, children: [], sides: [] };
}

/** Letters that a node's operator was given up with, in the place of a linked node. */
export interface GivenUp {
  readonly error: unknown;
  readonly record: unknown;
  readonly attempts: number;
}

/** As much of a task's bindings as an operator that keeps records back needs. */
export function bindingsOf(fn?: unknown, options: { readonly isTolerant?: boolean; readonly clock?: Clock } = {}): { readonly bindings: StageBindings; readonly control: StageControl; readonly givenUp: GivenUp[]; readonly waits: number[] } {
  const givenUp: GivenUp[] = [];
  const waits: number[] = [];
  const control = new StageControl(
    { failed: (error) => error as Error, checkKey: () => undefined, badInput: () => { throw new TypeError('not used here'); } },
    () => undefined,
  );
  const recovery = {
    isTolerant: options.isTolerant === true,
    giveUp(error: unknown, record: unknown, _key: unknown, attempts: number): Pushed {
      givenUp.push({ error, record, attempts });
      return undefined;
    },
  };
  const bindings = {
    control,
    clock: options.clock ?? systemClock,
    pace: realPace,
    waiting: { byClock: 0, forCalls: 0 },
    functions: [fn],
    dropped: new Float64Array(1),
    linked: [{ recovery, emit: () => undefined }],
    wait: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
    room: () => Promise.resolve(),
  };
  return { bindings: bindings as unknown as StageBindings, control, givenUp, waits };
}
