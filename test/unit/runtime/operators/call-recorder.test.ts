// Which calls are the same ones, and when their outcomes are let go of.
import { describe, expect, it } from 'vitest';

import { CallRecorder } from '../../../../ts/runtime/stage/call-recorder.ts';
import type { RecordedCall, RecordedOutcomes } from '../../../../ts/runtime/stage/recorded-outcomes.ts';

/** `forgotten` are those that are in checkpoints that are safe. */
function recorder(): { readonly calls: CallRecorder; readonly forgotten: RecordedCall[] } {
  const forgotten: RecordedCall[] = [];
  let waiting: { readonly epoch: number; readonly calls: readonly RecordedCall[] }[] = [];
  const outcomes: RecordedOutcomes = {
    find: () => undefined,
    record: () => undefined,
    passed: (epoch, calls) => void waiting.push({ epoch, calls }),
    forget: (epoch) => {
      forgotten.push(...waiting.filter((one) => one.epoch <= epoch).flatMap(({ calls }) => calls));
      waiting = waiting.filter((one) => one.epoch > epoch);
    },
  };
  return { forgotten, calls: new CallRecorder('calls', outcomes) };
}

describe('the calls of an operator that are recorded', () => {
  it('given equal records, when they are called for in two instances, then they are known by the same input, whatever the order of their fields', () => {
    const [one, two] = [recorder().calls, recorder().calls];
    expect(one.call({ a: 1, b: [2, { c: 3, d: 'x' }] }, 'k')).toEqual(two.call({ b: [2, { d: 'x', c: 3 }], a: 1 }, 'k'));
    const inputs = [[1, 'k'], [undefined, 1], ['k', 1], [1, undefined], ['1', undefined], [2, undefined], [[1], undefined]].map(([value, key]) => one.call(value, key).input);
    expect(new Set(inputs).size).toBe(inputs.length);
  });

  it('given equal calls, when one after the other is made, then they are numbered, until all are let go of', () => {
    const { calls, forgotten } = recorder();
    const made = [calls.call(1, undefined), calls.call(1, undefined), calls.call(2, undefined)];
    expect(made.map(({ nth }) => nth)).toEqual([0, 1, 0]);
    calls.delivered({ call: made[0]!, result: 'a' });
    calls.passed(1);
    calls.delivered({ call: made[1]!, result: 'b' });
    calls.durable(1);
    expect(forgotten).toEqual([made[0]]);
    expect(calls.call(1, undefined).nth).toBe(2);
    calls.passed(2);
    calls.passed(3);
    calls.durable(3);
    expect(forgotten).toEqual([made[0], made[1]]);
  });

  it('given barriers whose checkpoints fail, when a later one is safe, then all before it is let go of', () => {
    const { calls, forgotten } = recorder();
    const made = [1, 2, 3].map((n) => calls.call(n, undefined));
    made.forEach((call, n) => {
      calls.delivered({ call, result: n });
      if (n < 2) calls.passed(n + 1);
    });
    calls.durable(0);
    expect(forgotten).toEqual([]);
    calls.durable(2);
    expect(forgotten).toEqual(made.slice(0, 2));
    calls.passed(3);
    calls.durable(3);
    expect(forgotten).toEqual(made);
  });

  it('given calls that failed, when an equal one is made, then it is the first again', () => {
    const { calls } = recorder();
    calls.gaveUp(calls.call(1, undefined));
    expect(calls.call(1, undefined).nth).toBe(0);
  });
});
