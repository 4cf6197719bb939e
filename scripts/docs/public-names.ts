import { dirname, join } from 'node:path/posix';

import { sourceFile } from './source-file.ts';

/** A name that the package exports. */
export interface PublicName {
  readonly name: string;
  /** What it is imported from. */
  readonly from: string;
  /** Where it is declared, from the root of the repository. */
  readonly file: string;
  /** Only a type. */
  readonly isType: boolean;
}

/** What can be imported, and where that is declared. */
const ENTRIES = [
  { from: 'sage-kernel', index: 'ts/index.ts' },
  { from: 'sage-kernel/testing', index: 'ts/testing/index.ts' },
] as const;

/** What the entries of the package export, and where it is declared. @throws Error when a name leads nowhere. */
export function publicNames(): readonly PublicName[] {
  return ENTRIES.flatMap(({ from, index }) =>
    sourceFile(index).statements.flatMap((statement) => {
      if (statement.type !== 'ExportNamedDeclaration' || statement.source === null) return [];
      const file = join(dirname(index), statement.source.value);
      return statement.specifiers.map((specifier) => {
        const name = nameOf(specifier.exported);
        return { name, from, file: declaringFile(name, file), isType: statement.exportKind === 'type' || specifier.exportKind === 'type' };
      });
    }),
  );
}

/** The file that declares what `file` exports as `name`, also when it hands it on from another one. */
export function declaringFile(name: string, file: string): string {
  for (const statement of sourceFile(file).statements) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.source === null) continue;
    if (statement.specifiers.some(({ exported }) => nameOf(exported) === name)) return declaringFile(name, join(dirname(file), statement.source.value));
  }
  return file;
}

/** The file of the project that declares a name which `file` uses; `undefined` for names of the language, of Node and of packages. */
export function fileOfUsedName(name: string, file: string): string | undefined {
  for (const statement of sourceFile(file).statements) {
    if (statement.type === 'ImportDeclaration' && statement.specifiers.some(({ local }) => local.name === name)) {
      const from = statement.source.value;
      return from.startsWith('.') ? declaringFile(name, join(dirname(file), from)) : undefined;
    }
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declared !== null && 'id' in declared && declared.id?.type === 'Identifier' && declared.id.name === name) return file;
  }
  return undefined;
}

function nameOf(node: { readonly type: string; readonly name?: string; readonly value?: unknown }): string {
  return node.name ?? String(node.value);
}
