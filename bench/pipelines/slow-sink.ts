import type { BenchCase, Run, Variant } from '../harness/bench-case.ts';
import { SlowReceiver } from './slow-receiver.ts';

const variant = (name: string, isolated: boolean): Variant => ({
  name,
  ours: true,
  warmups: 0,
  samples: 1,
  async start({ records }): Promise<Run> {
    const { receiving, slowSink } = await import('./slow-sink-pipeline.ts');
    return async () => {
      const receiver = new SlowReceiver(records);
      receiving.by = receiver;
      await slowSink.run({ records }, isolated ? { isolated: true } : {});
      return receiver.outcome();
    };
  },
});

/** What memory may do between the first tenth of the records and the rest: garbage of the young generation, no more. */
const MOST_GROWTH_MIB = 64;

export const benchCase: BenchCase = {
  row: 'slow-sink',
  title: 'generated records against a sink that takes 1 ms for 1,000 of them: memory stays flat',
  records: 50_000_000,
  quickRecords: 1_000_000,
  per: 'record',
  rounds: 1,
  variants: [variant('sage, one isolate', false), variant('sage, source in a worker', true)],
  goals: [
    { ours: 'sage, one isolate', figure: 'growth in MiB', atMostAbsolute: MOST_GROWTH_MIB, unit: 'MiB' },
    { ours: 'sage, source in a worker', figure: 'growth in MiB', atMostAbsolute: MOST_GROWTH_MIB, unit: 'MiB' },
  ],
};
