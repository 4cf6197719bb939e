/** Totals of a file of orders, on two worker threads: `npm start`, or `npm start -- -- my-orders.jsonl my-totals.jsonl`. */
import { totals } from './totals.ts';

const [input = 'data/orders.jsonl', output = 'out/totals.jsonl'] = process.argv.slice(2);

const result = await totals.run({ input, output }, { parallelism: 2 });
console.log(`${result.recordsIn} orders, ${result.recordsOut} customers in ${output}`);
