/**
 * A filter for the shell: reads text from the standard input as it comes, writes how often each word occurs to the standard
 * output, and leaves the pipe when that is closed.
 *
 *     echo "to be or not to be" | node examples/word-filter/main.ts | sort -rn | head -3
 */
import { FileSource, LocalEnvironment, count } from 'sage-kernel';

const env = new LocalEnvironment('words');

env
  .fromSource(FileSource.textLines('-'))
  .flatMap((line) => line.toLowerCase().match(/\p{L}+/gu))
  .keyBy((word) => word)
  .aggregate({ times: count() })
  .map(({ key, times }) => `${times}\t${key}\n`)
  .sink(process.stdout);

await env.submit({ autostop: true });
