// Runs in a process that may write files of some KiB only: what a full disk is like for one file.
import { JsonLinesSink, LocalEnvironment, ParquetSink, TextLinesSink, isSageError } from '../../../ts/index.ts';

const [format, path] = process.argv.slice(2) as [string, string];
const write = async (records: number): Promise<string> => {
  const env = new LocalEnvironment('fills the disk');
  const texts = env.fromCollection(Array.from({ length: records }, (_, n) => `${Math.sin(n)} ${Math.cos(n)}`));
  if (format === 'textLines') texts.sink(new TextLinesSink(path)).named('the sink');
  else texts.map((text) => ({ text })).sink(format === 'jsonLines' ? new JsonLinesSink(path) : new ParquetSink(path)).named('the sink');
  try {
    return (await env.submit({ autostop: true })).status;
  } catch (error) {
    if (!isSageError(error)) throw error;
    return JSON.stringify({ code: error.code, operator: error.operator, file: error.context['file'], declared: error.declaredAt?.file, domain: error.domain });
  }
};
console.log(await write(100_000));
console.log(await write(10));
