// Runs modules one after the other, and writes which error each of them ended with: [out, ...modules] are the arguments.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import { isSageError } from '../../ts/index.ts';

const [out, ...modules] = process.argv.slice(2);
const raised: Record<string, string> = {};
for (const module of modules) {
  try {
    await import(pathToFileURL(module).href);
    raised[module] = 'nothing';
  } catch (error) {
    raised[module] = isSageError(error) ? error.code : String(error);
  }
}
writeFileSync(out!, JSON.stringify(raised));
