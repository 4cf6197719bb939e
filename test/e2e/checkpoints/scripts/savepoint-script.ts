// A job without checkpoints, in worker threads, that leaves a savepoint when it is halfway, or goes on from one.
import { FileSource, JsonLinesSink, KeyedProcessFunction, LocalEnvironment } from '../../../../ts/index.ts';

const [source = '', out = '', savepoint = '', from = '', instances = '1'] = process.argv.slice(2);

interface Row {
  readonly n: number;
}

class Numbering extends KeyedProcessFunction<number, Row, { n: number; nth: number }> {
  execute({ n }: Row): void {
    // Takes so long that there is time to stop it.
    for (const until = performance.now() + 0.005; performance.now() < until; );
    this.collect({ n, nth: this.ctx.state.value('nth', { default: 0 }).update((nth) => nth + 1) });
  }
}

const env = new LocalEnvironment('saved', { parallelism: Number(instances) });
env.fromSource(FileSource.jsonLines<Row>(source)).uid('rows').keyBy((row) => row.n % 11).process(Numbering).uid('numbering').sink(new JsonLinesSink(out, { mkdir: true }), { uid: 'out' });
const job = await env.submit(from === '' ? {} : { from });
if (savepoint !== '') {
  const halfway = async (): Promise<void> => {
    while ((job.metrics().operators.find(({ name }) => name === 'process')?.recordsIn ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await halfway();
  await job.savepoint(`${savepoint}-before`);
  await job.stop({ savepoint });
}
const { status, recordsIn } = await job.completion;
process.stdout.write(`${JSON.stringify({ status, recordsIn, workers: new Set(job.metrics().tasks.flatMap(({ isolate }) => (isolate > 0 ? [isolate] : []))).size })}\n`);
