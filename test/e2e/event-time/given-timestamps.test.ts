import { describe, expect, it } from 'vitest';

import { FileSource, LocalEnvironment, SourceFunction, type Timestamped, timestamped } from '../../../ts/index.ts';
import { describeGivenTimestamps } from './describe-given-timestamps.ts';

describeGivenTimestamps('in generated code');

class Tick extends SourceFunction<Timestamped<number>> {
  execute(): Timestamped<number> {
    return timestamped(1, 1);
  }
}

describe('the option timestamps', () => {
  const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
  it.each<[string, (env: LocalEnvironment) => unknown, RegExp]>([
    ['without outOfOrdernessMs', (env) => env.fromSource([], { timestamps: {} as never }), /outOfOrdernessMs of timestamps of fromSource/],
    ['with a negative one', (env) => env.fromSource([], { timestamps: { outOfOrdernessMs: -1 } }), /outOfOrdernessMs of timestamps of fromSource/],
    ['with a unit', (env) => env.fromSource([], { timestamps: { outOfOrdernessMs: 1, unit: 's' } as never }), /unit of timestamps of fromSource/],
    ['with another name', (env) => env.fromSource([], { timestamps: { outOfOrdernessMs: 1, idle: 5 } as never }), /idle/],
    ['that is no object', (env) => env.fromSource([], { timestamps: true as never }), /timestamps of fromSource/],
    ['beside a schema', (env) => env.fromSource([], { timestamps: { outOfOrdernessMs: 1 }, schema } as never), /a schema and timestamps/],
    ['behind a connector', (env) => env.fromSource(FileSource.jsonLines('x') as never, { timestamps: { outOfOrdernessMs: 1 } } as never), /whose records come without/],
    ['left away', (env) => env.fromSource([timestamped(1, 1)]), /no option timestamps/],
  ])('%s, is refused in the plan', (_, build, message) => {
    expect(() => build(new LocalEnvironment('wrong'))).toThrow(message);
  });

  it('is no argument of the class before it', () => {
    const env = new LocalEnvironment('ticks');
    env.fromSource(Tick, { timestamps: { outOfOrdernessMs: 0 } }).print();
    expect(env.explain('logical')).toContain('as the source gives them');
  });

  it.each([[undefined], [4], ['auto']] as const)('keeps what takes the timestamps in the task of the source, at the parallelism %s', (parallelism) => {
    const env = new LocalEnvironment('ticks', parallelism === undefined ? {} : { parallelism });
    env.fromSource(Tick, { timestamps: { outOfOrdernessMs: 0 } }).inMain().print();
    env.fromCollection([timestamped(1, 1)], { timestamps: { outOfOrdernessMs: 0 } }).print();
    env.fromSource(Tick, { timestamps: { outOfOrdernessMs: 0 } }).parallelism(2).print();
    const { stages, operators } = env.explain({ format: 'json' });
    const kindOf = (id: number): string => operators.find((operator) => operator.id === id)!.kind;
    const withSource = stages.map((stage) => stage.operators.map(({ operator }) => kindOf(operator))).filter((kinds) => kinds.includes('source'));
    expect(withSource).toHaveLength(3);
    for (const kinds of withSource) expect(kinds).toContain('assignTimestamps');
  });
});
