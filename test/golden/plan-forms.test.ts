import { expect, test } from 'vitest';

import { compile } from '../../ts/compiler/compile.ts';
import { describePlan } from '../../ts/compiler/explain/describe-plan.ts';
import { planMermaid } from '../../ts/compiler/explain/plan-mermaid.ts';
import { planSvg } from '../../ts/compiler/explain/plan-svg.ts';
import { avg, count } from '../../ts/functions/builtin-aggregators.ts';
import { PipelineBuilder } from '../unit/compiler/pipeline-builder.ts';

// The expected texts are files beside this one. `vitest run test/golden -u` writes them anew: read what changed, and never
// change or remove a field of plan.json without a new version of `PlanDescription`.

const build = new PipelineBuilder();
const bids = build.file({ type: 'jsonLines', path: 'bids.jsonl' });
const dear = build.filter(bids, { name: 'dear & "rare"' });
build.sink(build.aggregate(build.keyBy(dear), { bids: count(), mean: avg('price') }), {}, { form: 'native', spec: { type: 'jsonLines', path: 'totals.jsonl' } });
build.sink(dear, { name: 'watch' });
const plan = describePlan(compile(build.pipeline, { parallelism: 2 }, { importable: true, cores: 4 }), 'bids');

test('a plan as data', async () => {
  await expect(`${JSON.stringify(plan, undefined, 2)}\n`).toMatchFileSnapshot('plan.json');
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});

test('as a Mermaid flowchart', async () => {
  await expect(`${planMermaid(plan)}\n`).toMatchFileSnapshot('plan.mmd');
});

test('as an SVG picture', async () => {
  await expect(`${planSvg(plan)}\n`).toMatchFileSnapshot('plan.svg');
});
