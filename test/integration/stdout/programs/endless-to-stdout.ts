// node endless-to-stdout.ts: lines for ever, until who reads them has enough.
import { LocalEnvironment, TextLinesSink } from '../../../../ts/index.ts';

const env = new LocalEnvironment('endless');
env
  .fromSource(
    function* () {
      for (let n = 0; ; n++) yield `line ${n}`;
    },
    { unbounded: true },
  )
  .sink(new TextLinesSink('-'));
const result = await env.submit({ autostop: true });
console.error(`status ${result.status}`);
