// Writes log lines without a logger of its own.
import { talking } from '../pipelines/talking.ts';

const [parallelism] = process.argv.slice(2);
const result = await talking.run({ records: 4, lines: 1 }, { name: 'talks', parallelism: Number(parallelism) });
console.log(result.status);
