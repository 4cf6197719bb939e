import type { Rule } from '../source-tree.ts';
import { isGenerated } from '../source-tree.ts';

const maxLines = 500;
const handwritten = /\.(ts|mts|cts|js|mjs|cjs|rs)$/;
const catchAll = /^(util|utils|utility|utilities|helper|helpers|misc|stuff|various)$/i;

/** A file is one concept; past 500 lines it is two. */
export const fileLength: Rule = (files) =>
  files
    .filter((file) => handwritten.test(file.path) && !isGenerated(file))
    .map((file) => ({ path: file.path, lines: file.text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > maxLines)
    .map(({ path, lines }) => ({ path, reason: `${lines} lines, at most ${maxLines} are allowed` }));

/** A name says what is inside; a drawer for everything has no name. */
export const fileNames: Rule = (files) =>
  files
    .filter((file) => file.path.split(/[/._-]/).some((word) => catchAll.test(word)))
    .map((file) => ({ path: file.path, reason: 'utils, helpers and misc name nothing: name it after what it does' }));

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/;
const snakeCase = /^[a-z0-9]+(_[a-z0-9]+)*$/;

/** TypeScript files are kebab-case, Rust files are snake_case. */
export const fileCase: Rule = (files) =>
  files.flatMap((file) => {
    const name = file.path.split('/').at(-1) ?? '';
    const stem = name.replace(/\.[a-z]+$/, '');
    if (/\.(ts|mjs)$/.test(name) && !kebabCase.test(stem)) return [{ path: file.path, reason: 'use kebab-case' }];
    if (name.endsWith('.rs') && !snakeCase.test(stem)) return [{ path: file.path, reason: 'use snake_case' }];
    return [];
  });
