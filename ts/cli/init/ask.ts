import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

import { TEMPLATES, type TemplateName } from './templates.ts';

/** Asks for a template until the answer is one: its name, its number, or nothing for the first. @throws AbortError at the end of the input. */
export async function askTemplate(input: Readable, output: Writable): Promise<TemplateName> {
  const names = Object.keys(TEMPLATES) as TemplateName[];
  const lines = createInterface({ input, output });
  const ended = new AbortController();
  lines.once('close', () => ended.abort());
  try {
    output.write('Which template?\n');
    for (const [n, name] of names.entries()) output.write(`  ${n + 1}  ${name.padEnd(10)}${TEMPLATES[name].summary}\n`);
    for (;;) {
      const answer = (await lines.question(`Name or number (${names[0]}): `, { signal: ended.signal })).trim().toLowerCase();
      const chosen = answer === '' ? names[0] : (names.find((name) => name === answer) ?? names[Number(answer) - 1]);
      if (chosen !== undefined) return chosen;
      output.write(`There is no template '${answer}'.\n`);
    }
  } finally {
    lines.close();
  }
}
