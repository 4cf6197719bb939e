import type { Rule } from '../source-tree.ts';
import { withoutComments } from '../source-tree.ts';

/** Types of napi that are made of memory of the core, or that own it. Slices of memory of JavaScript are other types. */
const external = /\b(?:External\w*|Buffer(?:Slice)?|ArrayBuffer|(?:Ui|I)nt(?:8|16|32)Array|Uint8Clamped(?:Array|Slice)|Float(?:32|64)Array|Big(?:Ui|I)nt64Array|(?:napi|node_api)_create_external\w*|\w*(?:from|with)_external\w*|from_data)\b/;

/**
 * The binding hands out no memory of its own: where the engine keeps all of its memory in a cage (Electron), Node refuses to make buffers
 * of it (`napi_no_external_buffers_allowed`). Batches are copied into memory that JavaScript brings.
 */
export const externalMemory: Rule = (files) =>
  files
    .filter((file) => /^crates\/sage-node\/src\/.*\.rs$/.test(file.path))
    .flatMap((file) => {
      // What TypeScript is told (`ts_args_type = "..."`) is text.
      const match = external.exec(withoutComments(file.text).replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'));
      return match === null ? [] : [{ path: file.path, reason: `${match[0]} may be memory of the core: copy into a slice that JavaScript brings` }];
    });
