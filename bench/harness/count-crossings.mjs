// Preloaded into a process (and its workers) that is not timed: puts counters before every function of the core, and
// notes which forms of stage functions were made. Figures are appended to SAGE_BENCH_COUNTS, a line a thread.
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { subscribe } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const engine = process.env.SAGE_BENCH_ENGINE ?? import.meta.resolve('sage-kernel');
const folder = fileURLToPath(new URL('../native/', engine));
const file = process.env.SAGE_BENCH_COUNTS;
const calls = {};
const segments = [];

function report() {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ calls, segments })}\n`);
  for (const name of Object.keys(calls)) calls[name] = 0;
  segments.length = 0;
}

subscribe('sage:segment:made', (message) => segments.push(message));

const addon = existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith('.node')) : undefined;
if (addon !== undefined) {
  const path = join(folder, addon);
  const core = require(path);
  const counted = {};
  for (const [name, fn] of Object.entries(core)) {
    counted[name] = (...args) => {
      calls[name] = (calls[name] ?? 0) + 1;
      const result = fn(...args);
      // The last call of an isolate; a worker is ended soon after it.
      if (name === 'detachIsolate') report();
      return result;
    };
  }
  require.cache[path].exports = counted;
}
process.on('exit', report);
