import type { BenchCase } from '../harness/bench-case.ts';

/** A job without records; what is timed is one submit, until it has finished. */
export const benchCase: BenchCase = {
  row: 'empty-job',
  title: 'empty job in a warm process, from submit to finished',
  records: 1,
  quickRecords: 1,
  per: 'run',
  variants: [
    {
      name: 'sage',
      ours: true,
      warmups: 50,
      samples: 200,
      async start({ engine }) {
        const { LocalEnvironment } = await engine();
        return async () => {
          const results: number[] = [];
          const env = new LocalEnvironment('empty');
          env
            .fromCollection<number>([])
            .map((n) => n + 1)
            .filter((n) => n % 2 === 0)
            .sink(results);
          const { status } = await env.submit({ autostop: true });
          return { checksum: `${status}, ${results.length} results` };
        };
      },
    },
    {
      name: 'sage, keyed, to a file',
      ours: true,
      warmups: 50,
      samples: 200,
      async start({ engine, folder }) {
        const { JsonLinesSink, LocalEnvironment, count } = await engine();
        return async () => {
          const env = new LocalEnvironment('empty');
          env
            .fromCollection<number>([])
            .keyBy((n) => n)
            .aggregate({ count: count() })
            .sink(new JsonLinesSink(`${folder}/empty-job.jsonl`));
          const { status, recordsOut } = await env.submit({ autostop: true });
          return { checksum: `${status}, ${recordsOut} results` };
        };
      },
    },
  ],
  goals: [{ ours: 'sage', atMostAbsolute: 2, unit: 'ms' }],
};
