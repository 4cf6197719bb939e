import { LocalEnvironment, count } from 'sage-kernel';
import { TestEnvironment } from 'sage-kernel/testing';

// No `await using`: Node 22 cannot parse it.
const env = new TestEnvironment();
try {
  const bids = env.testSource('bids');
  const found = env.collectSink();
  env.fromSource(bids).keyBy('auction').parallelism(2).aggregate({ bids: count() }).sink(found);
  await env.start();
  for (let n = 0; n < 10; n++) bids.push({ auction: n % 2 });
  await env.finish();
  console.log(JSON.stringify({ found: found.records.toSorted((a, b) => a.key - b.key), isOne: env instanceof LocalEnvironment }));
} finally {
  await env[Symbol.asyncDispose]();
}
