import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'rolldown/utils';

/** Root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

type Parsed = ReturnType<typeof parseSync>;

/** A statement at the top of a module. */
export type Statement = Parsed['program']['body'][number];

/** A TypeScript source with its syntax tree. */
export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly statements: readonly Statement[];
  /** Where it is, from 1. */
  lineOf(offset: number): number;
  /** The doc comment that stands right before `offset`, with its marks; `undefined` when there is none. */
  docCommentBefore(offset: number): string | undefined;
}

const files = new Map<string, SourceFile>();

/** Reads and parses a source once. @throws Error when it cannot be read or is not TypeScript. */
export function sourceFile(path: string): SourceFile {
  const known = files.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(join(ROOT, path), 'utf8');
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  const file: SourceFile = {
    path,
    text,
    statements: program.body,
    lineOf: (offset) => text.slice(0, offset).split('\n').length,
    docCommentBefore(offset) {
      // A comment for a linter may stand between the two.
      let from = offset;
      for (const { type, start, end } of comments.filter(({ end }) => end <= offset).toReversed()) {
        if (text.slice(end, from).trim() !== '') return undefined;
        if (type === 'Block' && text.startsWith('/**', start)) return text.slice(start, end);
        from = start;
      }
      return undefined;
    },
  };
  files.set(path, file);
  return file;
}
