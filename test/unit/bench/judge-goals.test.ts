import { describe, expect, it } from 'vitest';

import type { BenchCase, Goal } from '../../../bench/harness/bench-case.ts';
import { type VariantFigures, judgeGoals } from '../../../bench/harness/judge-goals.ts';
import { summarise } from '../../../bench/harness/samples.ts';

const figuresOf = (name: string, times: readonly number[], figures: Record<string, number> = {}): VariantFigures => ({
  name,
  ours: name === 'ours',
  records: 1000,
  time: summarise(times),
  cpu: summarise(times.map((time) => time * 2)),
  peakRssMiB: 100,
  checksum: 1,
  figures,
});

const caseWith = (...goals: readonly Goal[]): BenchCase => ({
  row: 'row',
  title: 'title',
  records: 1000,
  quickRecords: 10,
  per: 'record',
  variants: [],
  goals,
});

describe('goals of the benchmarks', () => {
  it('given a limit on the ratio to a loop, then least times decide, and the fastest peer is the one to beat', () => {
    const goal: Goal = { ours: 'ours', peers: ['slow', 'fast'], atMost: 1.3 };
    const peers = [figuresOf('slow', [30, 40]), figuresOf('fast', [10, 100])];
    expect(judgeGoals(caseWith(goal), [figuresOf('ours', [12, 50]), ...peers])).toMatchObject([
      { text: 'ours: time over fast', reached: 1.2, byMedian: 31 / 55, byCpu: 1.2, verdict: 'ok', failsCheck: false },
    ]);
    expect(judgeGoals(caseWith(goal), [figuresOf('ours', [14]), ...peers])).toMatchObject([{ reached: 1.4, verdict: 'MISS', failsCheck: false }]);
    expect(judgeGoals(caseWith(goal), [figuresOf('ours', [20]), ...peers])).toMatchObject([{ reached: 2, verdict: 'MISS', failsCheck: true }]);
  });

  it('given a factor to reach, then being faster by less is a miss', () => {
    const goal: Goal = { ours: 'ours', peers: ['peer'], atLeast: 4 };
    expect(judgeGoals(caseWith(goal), [figuresOf('ours', [10]), figuresOf('peer', [41])])).toMatchObject([{ reached: 4.1, verdict: 'ok' }]);
    expect(judgeGoals(caseWith(goal), [figuresOf('ours', [10]), figuresOf('peer', [39])])).toMatchObject([{ reached: 3.9, verdict: 'MISS', failsCheck: false }]);
    expect(judgeGoals(caseWith(goal), [figuresOf('ours', [10]), figuresOf('peer', [20])])).toMatchObject([{ reached: 2, failsCheck: true }]);
  });

  it('given milliseconds or a figure, then the median decides', () => {
    expect(judgeGoals(caseWith({ ours: 'ours', atMostAbsolute: 2, unit: 'ms' }), [figuresOf('ours', [1, 3, 4])])).toMatchObject([{ reached: 3, verdict: 'MISS' }]);
    const growth: Goal = { ours: 'ours', figure: 'growth in MiB', atMostAbsolute: 64, unit: 'MiB' };
    expect(judgeGoals(caseWith(growth), [figuresOf('ours', [1], { 'growth in MiB': 12 })])).toMatchObject([{ reached: 12, verdict: 'ok' }]);
  });

  it('given only some of the variants, then only their goals are judged', () => {
    const goals: Goal[] = [
      { ours: 'ours', peers: ['absent'], atMost: 1 },
      { ours: 'absent', peers: ['ours'], atMost: 1 },
    ];
    expect(judgeGoals(caseWith(...goals), [figuresOf('ours', [1])])).toEqual([]);
  });
});
