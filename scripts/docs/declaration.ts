import { type DocComment, parseDocComment } from './doc-comment.ts';
import { fileOfUsedName } from './public-names.ts';
import { type SourceFile, sourceFile, type Statement } from './source-file.ts';

type Exported = NonNullable<Extract<Statement, { type: 'ExportNamedDeclaration' }>['declaration']>;
type ClassNode = Extract<Exported, { superClass: unknown }>;
type InterfaceNode = Extract<Exported, { type: 'TSInterfaceDeclaration' }>;
type ClassElement = ClassNode['body']['body'][number];
type Signature = InterfaceNode['body']['body'][number];

/** What a class or an interface has, or a call of it. */
export interface Member {
  readonly name: string;
  readonly kind: 'constructor' | 'method' | 'accessor' | 'field';
  readonly isOverride: boolean;
  /** As declared; several for overloads. */
  readonly signatures: readonly string[];
  readonly comment: DocComment | undefined;
  /** Names of types that it speaks of. */
  readonly types: ReadonlySet<string>;
  readonly file: string;
  readonly line: number;
}

/** A declaration as the API reference shows it. */
export interface Declaration {
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'type' | 'function' | 'constant';
  /** Without a body; several for overloads. */
  readonly signatures: readonly string[];
  readonly comment: DocComment | undefined;
  readonly members: readonly Member[];
  /** What it extends. */
  readonly bases: readonly string[];
  /** Names of other types that it speaks of, with those of its members. */
  readonly types: ReadonlySet<string>;
  readonly file: string;
  readonly line: number;
}

/** The declaration of a name in its file; `undefined` when it is not there. */
export function declarationOf(name: string, path: string): Declaration | undefined {
  const file = sourceFile(path);
  const nodes = file.statements.flatMap((statement) => {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : (statement as Exported);
    return declared !== null && declares(declared, name) ? [{ statement, declared }] : [];
  });
  const [first] = nodes;
  if (first === undefined) return undefined;
  const { declared } = first;
  const common = { name, comment: commentAt(file, first.statement.start), file: path, line: file.lineOf(first.statement.start) };
  const types = new Set(nodes.flatMap((node) => namedTypes(node.declared)));
  const shape = (kind: Declaration['kind'], signatures: readonly string[], members: readonly Member[] = [], bases: readonly string[] = []): Declaration =>
    ({ ...common, kind, signatures, members, bases, types });
  switch (declared.type) {
    case 'ClassDeclaration': {
      const base = declared.superClass?.type === 'Identifier' ? [declared.superClass.name] : [];
      return shape('class', [textOf(file, declared.start, declared.body.start)], classMembers(file, declared), base);
    }
    case 'TSInterfaceDeclaration': {
      const bases = declared.extends.flatMap(({ expression }) => (expression.type === 'Identifier' ? [expression.name] : []));
      return shape('interface', [textOf(file, declared.start, declared.body.start)], interfaceMembers(file, declared), bases);
    }
    case 'TSTypeAliasDeclaration':
      return shape('type', [textOf(file, declared.start, declared.end)]);
    case 'VariableDeclaration': {
      const { id } = declared.declarations.find((one) => one.id.type === 'Identifier' && one.id.name === name)!;
      return shape('constant', [textOf(file, declared.start, id.end)]);
    }
    default: {
      const functions = nodes.flatMap((node) => (node.declared.type === 'FunctionDeclaration' || node.declared.type === 'TSDeclareFunction' ? [node.declared] : []));
      const overloads = functions.filter(({ body }) => body === null);
      return shape('function', (overloads.length > 0 ? overloads : functions).map((node) => textOf(file, node.start, node.body?.start ?? node.end)));
    }
  }
}

/** The members of a declaration, with those of bases that are not public themselves, which a reader would find nowhere else. */
export function membersWithHidden(declaration: Declaration, isPublic: (name: string) => boolean): { readonly members: readonly Member[]; readonly bases: readonly string[] } {
  const parts = declaration.bases.map((base) => {
    const file = isPublic(base) ? undefined : fileOfUsedName(base, declaration.file);
    const hidden = file === undefined ? undefined : declarationOf(base, file);
    return hidden === undefined ? { members: [], bases: [base] } : membersWithHidden(hidden, isPublic);
  });
  const own = new Set(declaration.members.map(({ name }) => name));
  const inherited = parts.flatMap(({ members }) => members.filter(({ name, kind }) => !own.has(name) && kind !== 'constructor'));
  return { members: [...declaration.members, ...inherited], bases: parts.flatMap(({ bases }) => bases) };
}

function declares(node: Exported, name: string): boolean {
  if (node.type === 'VariableDeclaration') return node.declarations.some(({ id }) => id.type === 'Identifier' && id.name === name);
  return 'id' in node && node.id?.type === 'Identifier' && node.id.name === name;
}

function classMembers(file: SourceFile, { body }: ClassNode): Member[] {
  const members: Member[] = [];
  const groups = Map.groupBy(body.body.filter(isShown), (node) => `${'static' in node && node.static} ${keyText(file, node)}`);
  for (const nodes of groups.values()) {
    const first = nodes[0]!;
    // A setter beside its getter says nothing new.
    const overloads = nodes.filter((node) => 'value' in node && node.value?.type === 'TSEmptyBodyFunctionExpression');
    members.push({
      name: keyText(file, first),
      kind: 'kind' in first && first.kind !== undefined ? (first.kind === 'constructor' ? 'constructor' : first.kind === 'method' ? 'method' : 'accessor') : 'field',
      isOverride: nodes.some((node) => 'override' in node && node.override === true),
      signatures: (overloads.length > 0 ? overloads : [first]).map((node) => textOf(file, node.start, endOfSignature(node))),
      comment: commentAt(file, first.start),
      types: new Set((overloads.length > 0 ? overloads : [first]).flatMap(namedTypes)),
      file: file.path,
      line: file.lineOf(first.start),
    });
  }
  return members;
}

function isShown(node: ClassElement): boolean {
  if (!('key' in node) || node.key.type === 'PrivateIdentifier') return false;
  // Nobody outside extends the classes that have protected members.
  return node.accessibility !== 'private' && node.accessibility !== 'protected';
}

function endOfSignature(node: ClassElement): number {
  if (!('value' in node)) return node.end;
  if (node.type === 'PropertyDefinition' || node.type === 'TSAbstractPropertyDefinition') return node.typeAnnotation?.end ?? node.key.end;
  if (node.value !== null && 'body' in node.value && node.value.body !== null) return node.value.body.start;
  return node.end;
}

function interfaceMembers(file: SourceFile, { body }: InterfaceNode): Member[] {
  const groups = Map.groupBy(body.body, (node) => keyText(file, node));
  return [...groups].map(([name, nodes]) => ({
    name,
    kind: nodes[0]!.type === 'TSMethodSignature' ? 'method' : 'field',
    isOverride: false,
    signatures: nodes.map((node) => textOf(file, node.start, node.end)),
    comment: commentAt(file, nodes[0]!.start),
    types: new Set(nodes.flatMap(namedTypes)),
    file: file.path,
    line: file.lineOf(nodes[0]!.start),
  }));
}

function keyText(file: SourceFile, node: ClassElement | Signature): string {
  if (!('key' in node)) return file.text.slice(node.start, node.end);
  const key = file.text.slice(node.key.start, node.key.end);
  return node.computed ? `[${key}]` : key;
}

function commentAt(file: SourceFile, offset: number): DocComment | undefined {
  const raw = file.docCommentBefore(offset);
  return raw === undefined ? undefined : parseDocComment(raw);
}

/** Source without what only the implementation means, and without the indentation of its place. */
function textOf(file: SourceFile, start: number, end: number): string {
  const lineStart = file.text.lastIndexOf('\n', start) + 1;
  const indent = /^ */.exec(file.text.slice(lineStart))![0];
  return file.text
    .slice(start, end)
    .replace(/^(export )?(declare )?/, '')
    .replace(/^(static )?(override )?(async )?(declare )?/, '$1')
    .replace(/[;,\s]+$/, '')
    .replaceAll(`\n${indent}`, '\n');
}

/** Names of types below a node of a syntax tree, but not in bodies of functions or in private members. */
function namedTypes(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(namedTypes);
  if (typeof node !== 'object' || node === null) return [];
  const { type, body, value, key, accessibility } = node as Record<string, unknown>;
  if (type === 'FunctionBody' || type === 'BlockStatement' || accessibility === 'private' || (key as { type?: unknown } | undefined)?.type === 'PrivateIdentifier') return [];
  const own = Object.entries(node).flatMap(([name, child]) => {
    if (name === 'parent' || (name === 'body' && typeof body === 'object' && (body as { type?: unknown } | null)?.type === 'BlockStatement')) return [];
    if (name === 'value' && (type === 'PropertyDefinition') && value !== null) return [];
    return namedTypes(child);
  });
  if (type !== 'TSTypeReference' && type !== 'TSClassImplements' && type !== 'TSInterfaceHeritage') return own;
  const { typeName, expression } = node as { typeName?: { name?: string }; expression?: { name?: string } };
  const name = typeName?.name ?? expression?.name;
  return name === undefined ? own : [name, ...own];
}
