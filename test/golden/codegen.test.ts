import { describe, expect, test } from 'vitest';

import { emitEncoder } from '../../ts/compiler/codegen/encoder.ts';
import type { SegmentInput } from '../../ts/compiler/codegen/segment-input.ts';
import { emitSegment } from '../../ts/compiler/codegen/segment.ts';
import { compile } from '../../ts/compiler/compile.ts';
import { planBatch } from '../../ts/compiler/layout/batch-plan.ts';
import { parseLayout } from '../../ts/compiler/layout/layout.ts';
import { avg, count, LocalEnvironment, MapFunction, sum } from '../../ts/index.ts';

/** The generated functions of the only stage of a pipeline, from its first root. */
function generated(environment: LocalEnvironment, input: SegmentInput, root?: number): string {
  const { physical } = compile(environment.pipeline, environment.config, { importable: false, cores: 2 });
  const stage = physical.stages.find(({ placement }) => placement !== 'native')!;
  return `${emitSegment(stage, root ?? 0, input, 'golden')}\n`;
}

const layout = '{"row":{"rec":[["id","f64"],["name","str"],["note","str?"]]}}';

describe('generated code is one readable function a segment', () => {
  test('a chain of lambdas over an array', async () => {
    const env = new LocalEnvironment();
    env
      .fromCollection([1, 2, 3])
      .map((n) => n * 2)
      .filter((n) => n > 2)
      .flatMap((n) => [n, n])
      .sink(() => {});

    await expect(generated(env, { kind: 'array', keyed: false, timed: false })).toMatchFileSnapshot('codegen-chain.txt');
  });

  test('a tree: two branches, a class with the key in its context, a sum', async () => {
    class Label extends MapFunction<{ id: number }, string> {
      execute(record: { id: number }): string {
        return `${String(this.ctx.key)}:${record.id}`;
      }
    }
    const env = new LocalEnvironment();
    const source = env.fromCollection([{ id: 1, amount: 2 }]);
    source.keyBy('id').map(Label).sink([]);
    source.aggregate({ n: count(), total: sum('amount') }).sink([]);

    await expect(generated(env, { kind: 'array', keyed: false, timed: false })).toMatchFileSnapshot('codegen-tree.txt');
  });

  test('a batch is decoded where its records are used', async () => {
    const env = new LocalEnvironment();
    env
      .fromCollection([{ id: 1, name: 'a', note: '' }])
      .filter((record) => record.id > 0)
      .sink(() => {});
    const plan = planBatch(parseLayout(layout));

    await expect(generated(env, { kind: 'batch', plan, missing: false })).toMatchFileSnapshot('codegen-batch.txt');
    await expect(generated(env, { kind: 'batch', plan, missing: true })).toMatchFileSnapshot('codegen-batch-missing.txt');
  });

  test('a keyed aggregate encodes its key and inputs; its results are read from columns', async () => {
    const env = new LocalEnvironment();
    env
      .fromCollection([{ key: 'a', amount: 2 }])
      .keyBy((record) => record.key)
      .aggregate({ n: count(), mean: avg('amount') })
      .sink(() => {});
    const plan = planBatch(parseLayout('{"key":"str","row":{"tup":["f64","f64?"]}}'));

    await expect(generated(env, { kind: 'array', keyed: false, timed: false })).toMatchFileSnapshot('codegen-keyed.txt');
    await expect(
      generated(env, { kind: 'results', plan, names: ['n', 'mean'], keyed: true }, 2),
    ).toMatchFileSnapshot('codegen-keyed-results.txt');
  });

  test('an encoder guards every field and counts them', async () => {
    const plan = planBatch(parseLayout('{"key":"str","row":{"rec":[["id","f64"],["tags","any?"],["at",{"rec":[["x","f64"]]}]]}}'));
    let offset = 64;
    const offsets = plan.buffers.map((role) => (role === 'data' ? -1 : (offset += 8192) - 8192));

    await expect(emitEncoder(plan, offsets, 'columns')).toMatchFileSnapshot('codegen-encoder.txt');
  });
});
