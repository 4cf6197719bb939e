/** A pipeline that goes on until somebody stops it. */
import { LocalEnvironment } from '../../../../ts/index.ts';

const env = new LocalEnvironment('endless');
let n = 0;
env.fromSource(() => n++, { unbounded: true }).sink((record) => {
  if (record % 1000 === 0) console.log(record);
});
const result = await env.submit({ autostop: true });
console.log('status', result.status);
