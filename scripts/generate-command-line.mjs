// Writes the reference of the commands in docs/command-line.md from the table that they are parsed by, ts/cli/commands.ts.
// Needs the project's Node, which runs TypeScript.
//
//   node_modules/.bin/node scripts/generate-command-line.mjs           writes the page
//   node_modules/.bin/node scripts/generate-command-line.mjs --check   fails when the committed page is stale

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { COMMANDS } from '../ts/cli/commands.ts';
import { optionRows, usageLine } from '../ts/cli/help-text.ts';
import { writeGenerated } from './write-generated.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = 'docs/command-line.md';
const BEGIN = '<!-- Made by scripts/generate-command-line.mjs from ts/cli/commands; do not edit. -->';
const END = '<!-- End of what is made. -->';

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const table = (head, rows) => [`| ${head.join(' | ')} |`, `|${head.map(() => '---|').join('')}`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');

function section(command) {
  return [
    `## ${command.name}`,
    ...command.description,
    `\`\`\`text\n${usageLine(command)}\n\`\`\``,
    table(['option', ''], optionRows(command).map(([typed, description]) => [`\`${typed}\``, cell(description)])),
    table(['exit code', ''], command.exitCodes.map(([code, meaning]) => [String(code), cell(meaning)])),
    `\`\`\`sh\n${command.examples.join('\n')}\n\`\`\``,
  ].join('\n\n');
}

const text = readFileSync(`${ROOT}${PAGE}`, 'utf8');
const [before, rest] = text.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`${PAGE} has lost its marks: ${BEGIN} ... ${END}`);
writeGenerated(ROOT, new Map([[PAGE, `${before}${BEGIN}\n\n${COMMANDS.map(section).join('\n\n')}\n\n${END}${after}`]]), 'scripts/generate-command-line.mjs');
