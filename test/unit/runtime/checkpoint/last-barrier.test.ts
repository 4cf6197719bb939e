// What a stop without drain says: behind its last barrier nothing fires, as nobody would know of it when the job goes on.
import { describe, expect, it } from 'vitest';

import { KeyedProcessFunction, type LocalEnvironment } from '../../../../ts/index.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';
import { slotsCore } from './slots-core.ts';
import { StageBench } from './stage-bench.ts';

const NOW = 1_000_000;

class Remind extends KeyedProcessFunction<string, string, string> {
  execute(text: string): void {
    this.ctx.timers.processingTime(NOW + 1000);
    this.collect(text);
  }

  override onTimer(): void {
    this.collect(`reminds of ${String(this.ctx.key)}`);
  }
}

const remind = (env: LocalEnvironment) => env.fromCollection<string>([]).keyBy((text) => text).process(Remind).sink([]);
const record = { input: 0, key: 'a', record: 'a', at: 0 };

async function shown(bench: StageBench): Promise<unknown[]> {
  return bench.results.splice(0).map(({ record: result }) => result);
}

describe('given a timer of a key', () => {
  it('when it is due behind the last barrier of a stop, then it does not fire, and fires when the job goes on', async () => {
    const clock = new VirtualClock(NOW);
    const bench = await new StageBench(slotsCore(), 0, remind, 'keyedProcess', 1, clock).open();
    await bench.do(record);
    const epoch = await bench.barrier(true, true);
    await bench.do({ passMs: 5000 });
    await bench.end(true);
    expect(await shown(bench)).toEqual(['a']);

    const again = await new StageBench(slotsCore(), 0, remind, 'keyedProcess', 1, clock, epoch).open();
    await again.do({ passMs: 1 });
    expect(await shown(again)).toEqual(['reminds of a']);
    await again.abandon();
  });

  it('when it is due behind any other barrier, then it fires', async () => {
    const bench = await new StageBench(slotsCore(), 0, remind, 'keyedProcess', 1, new VirtualClock(NOW)).open();
    await bench.do(record);
    await bench.barrier();
    await bench.do({ passMs: 5000 });
    expect(await shown(bench)).toEqual(['a', 'reminds of a']);
    await bench.abandon();
  });
});

describe('given totals that are given every second', () => {
  const totals = (env: LocalEnvironment) => env.fromCollection<string>([]).keyBy((text) => text).reduce((a, b) => a + b, { emit: { everyMs: 1000 } }).sink([]);

  it.each([[true, []], [false, ['aa']]] as const)('when a second passes behind a barrier, the last one: %s, then they are given only where it is not', async (isLast, given) => {
    const bench = await new StageBench(slotsCore(), 0, totals, 'reduce', 1, new VirtualClock(NOW)).open();
    await bench.do(record);
    expect(await shown(bench)).toEqual(['a']);
    await bench.do(record);
    await bench.barrier(true, isLast);
    await bench.do({ passMs: 5000 });
    expect(await shown(bench)).toEqual(given);
    await bench.abandon();
  });
});
