import { FileSource, LocalEnvironment } from '../../../../ts/index.ts';

// Prints what comes in by the standard input, line by line, and then how the job ended. Arguments: `take n` leaves after n
// lines, `cancel n` and `stop n` end the job from outside after n lines, `twice` runs a job behind the first.
const [what = 'all', count = '0'] = process.argv.slice(2);

const env = new LocalEnvironment('standard input', { parallelism: what === 'parallel' ? 2 : 1 });
const source = env.fromSource(FileSource.textLines('-'));

if (what === 'take') {
  let left = Number(count);
  for await (const line of source.collect()) {
    console.log(line);
    if (--left === 0) break;
  }
  console.log('left');
} else {
  let seen = 0;
  const enough = Promise.withResolvers<void>();
  source.sink((line) => {
    console.log(line);
    if (++seen === Number(count)) enough.resolve();
  });
  const job = await env.submit();
  if (what === 'cancel' || what === 'stop') {
    await enough.promise;
    await job[what]();
  }
  console.log((await job.completion).status);
  if (what === 'twice') {
    const again = new LocalEnvironment('again');
    again.fromSource(FileSource.textLines('-')).sink((line) => console.log('again', line));
    console.log((await again.submit({ autostop: true })).recordsIn);
  }
}
