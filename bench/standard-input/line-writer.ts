/** Writes JSON lines to standard output until they are so many bytes at least; prints how many lines and their sum to standard error. */
import { once } from 'node:events';

const BLOCK_LINES = 4_096;

const bytes = Number(process.argv[2]);
let written = 0;
let lines = 0;
let sum = 0;
while (written < bytes) {
  const texts: string[] = [];
  for (let n = 0; n < BLOCK_LINES; n++) {
    const price = (lines * 7919) % 1_000;
    texts.push(`{"id":${lines},"customer":"customer ${lines % 5_003}","price":${price},"note":"${'x'.repeat(lines % 61)}"}\n`);
    lines++;
    sum += price;
  }
  const block = Buffer.from(texts.join(''));
  written += block.length;
  if (!process.stdout.write(block)) await once(process.stdout, 'drain');
}
process.stdout.end();
process.stderr.write(JSON.stringify({ lines, sum, bytes: written }));
