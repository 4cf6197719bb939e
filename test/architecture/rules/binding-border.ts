import { importsOf } from '../imports.ts';
import type { Rule } from '../source-tree.ts';
import { withoutComments } from '../source-tree.ts';

const border = 'ts/runtime/native/';

/** Ways to get at the addon: its declarations, its file, or the loader of native code. */
const loadsNative = /\bprocess\.dlopen\b|['"`][^'"`\n]*sage-kernel\.[^'"`\n]*\.node['"`]|['"`][^'"`\n]*\/native\/[^'"`\n]*\.node['"`]/;

/** Only `ts/runtime/native` imports the binding. */
export const bindingBorder: Rule = (files) =>
  files
    .filter((file) => /^(ts|examples)\//.test(file.path) && !file.path.startsWith(border))
    .flatMap((file) => {
      const viaImport = importsOf(file).some((name) => /(^|\/)generated\/binding\b|\.node$/.test(name));
      if (!viaImport && !loadsNative.test(withoutComments(file.text))) return [];
      return [{ path: file.path, reason: `only ${border} may name the binding` }];
    });
