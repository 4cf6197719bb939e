// What explain gives depends on the format; checked by tsc, never run.
import { expectTypeOf } from 'vitest';

import { definePipeline, LocalEnvironment, type PlanDescription } from '../../ts/index.ts';

const env = new LocalEnvironment('types');
expectTypeOf(env.explain()).toEqualTypeOf<string>();
expectTypeOf(env.explain('logical')).toEqualTypeOf<string>();
expectTypeOf(env.explain({ level: 'all' })).toEqualTypeOf<string>();
expectTypeOf(env.explain({ format: 'json' })).toEqualTypeOf<PlanDescription>();
expectTypeOf(env.explain({ format: 'svg' })).toEqualTypeOf<string>();

// @ts-expect-error -- there is no such format
env.explain({ format: 'xml' });
// @ts-expect-error -- the other forms hold the whole plan
env.explain({ format: 'svg', level: 'all' });

const defined = definePipeline(import.meta.url, (environment: LocalEnvironment, args: { n: number }) => environment.fromCollection([args.n]));
expectTypeOf(defined.explain({ n: 1 }, { parallelism: 2, format: 'json' })).toEqualTypeOf<Promise<PlanDescription>>();
expectTypeOf(defined.explain({ n: 1 }, { format: 'mermaid' })).toEqualTypeOf<Promise<string>>();
expectTypeOf(defined.explain({ n: 1 }, { level: 'logical' })).toEqualTypeOf<Promise<string>>();
