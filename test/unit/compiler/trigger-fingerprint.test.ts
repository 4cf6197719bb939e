import { expect, test } from 'vitest';

import { describeOperator } from '../../../ts/compiler/fingerprint/describe-operator.ts';
import { checkTrigger } from '../../../ts/datastream/trigger-argument.ts';
import { WindowTransformation } from '../../../ts/transformations/window-transformation.ts';
import { PipelineBuilder } from './pipeline-builder.ts';

const declaredAt = { file: 'main.ts', line: 1, column: 1, function: undefined };

/** Windows with a trigger, as one isolate builds them: what they are known by. */
function described(trigger: unknown, ...args: readonly unknown[]): Readonly<Record<string, string>> {
  const input = new PipelineBuilder().collection([1]);
  const settings = { assigner: { kind: 'global' }, trigger: checkTrigger(trigger, args, declaredAt), accumulation: 'accumulating', allowedLatenessMs: 0, lateTag: undefined } as const;
  return describeOperator(new WindowTransformation(input, settings, { kind: 'elements' }, declaredAt));
}

/** The names of what differs. */
function differences(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): string[] {
  return Object.keys({ ...left, ...right }).filter((name) => left[name] !== right[name]);
}

const everyOther = (): object => ({ least: 1, onElement: () => 'fire', onEventTime: () => 'purge' });
const classOf = (): new (least: number) => object =>
  class Other {
    readonly least: number;
    constructor(least: number) {
      this.least = least;
    }
    onElement(): string {
      return 'fire';
    }
  };

test('the same trigger made in two isolates has no difference', () => {
  expect(differences(described(everyOther()), described(everyOther()))).toEqual([]);
  expect(differences(described(classOf(), 3), described(classOf(), 3))).toEqual([]);
});

test('each part of a trigger in which two differ is named', () => {
  const object = described(everyOther());
  expect(differences(object, described({ ...everyOther(), onElement: () => 'continue' }))).toEqual(['trigger: function source', "trigger: method 'onElement'"]);
  expect(differences(object, described({ ...everyOther(), onEventTime: () => 'fire' }))).toEqual(["trigger: method 'onEventTime'"]);
  expect(differences(object, described({ ...everyOther(), least: 2 }))).toEqual(['trigger: fields']);
  expect(differences(described(classOf(), 3), described(classOf(), 4))).toEqual(['trigger: constructor arguments']);
});
