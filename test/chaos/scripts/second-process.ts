// A job that wants a directory of checkpoints which another process has.
import { LocalEnvironment } from '../../../ts/index.ts';

const [dir = ''] = process.argv.slice(2);
const env = new LocalEnvironment('second', { checkpoint: { dir } });
env.fromCollection([1]).sink([]);
try {
  await env.submit({ autostop: true });
  console.log('it was let in');
} catch (error) {
  console.log(String((error as { code?: string }).code), String(error));
}
