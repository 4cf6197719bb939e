import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** A name that `sage-kernel` exports. */
export interface PublicName {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Only a type. */
  readonly isType: boolean;
}

/** What `ts/index.ts` exports, and where it is declared. */
export function publicNames(): readonly PublicName[] {
  const index = join(ROOT, 'ts/index.ts');
  const statements = readFileSync(index, 'utf8').matchAll(/^export (type )?\{([^}]+)\} from '([^']+)';/gm);
  return [...statements].flatMap(([, typeOnly, names, from]) =>
    names!
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name) => ({
        name: name.replace(/^type /, ''),
        file: relative(ROOT, resolve(dirname(index), from!)),
        isType: typeOnly !== undefined || name.startsWith('type '),
      })),
  );
}

/** A declaration and the doc comment above it. */
export interface Declared {
  readonly what: string;
  readonly comment: string | undefined;
}

/** The declaration of a name, or of where its file gets it from; `undefined` when it is not there. */
export function declarationOf({ name, file }: PublicName): (Declared & { readonly text: string }) | undefined {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const pattern = new RegExp(`^export (?:declare )?(?:abstract )?(?:class|function|const|interface|type) ${name}\\b`, 'm');
  const match = pattern.exec(text);
  if (match !== null) return { what: name, comment: commentBefore(text, match.index), text: bodyFrom(text, match.index) };
  const from = new RegExp(`^export (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)';`, 'm').exec(text)?.[1];
  return from === undefined ? undefined : declarationOf({ name, file: relative(ROOT, resolve(ROOT, dirname(file), from)), isType: true });
}

/** The public methods and accessors of a class, each by its first overload; overrides say what they do where they are declared first. */
export function publicMethods(className: string, body: string): readonly Declared[] {
  const methods = new Map<string, Declared>();
  const pattern = /^ {2}(?!private|protected|override|constructor|#|declare|readonly|\/\/|\}|return|if|\[Symbol)(?:static |abstract |async |get )*([a-zA-Z]\w*)(?:<[^\n]*)?\(/gm;
  for (const match of body.matchAll(pattern)) {
    const name = match[1]!;
    if (!methods.has(name)) methods.set(name, { what: `${className}.${name}`, comment: commentBefore(body, match.index) });
  }
  return [...methods.values()];
}

function commentBefore(text: string, index: number): string | undefined {
  const before = text.slice(0, index).trimEnd();
  if (!before.endsWith('*/')) return undefined;
  return before.slice(before.lastIndexOf('/**'));
}

/** From the declaration to the first line that begins with a closing bracket. */
function bodyFrom(text: string, index: number): string {
  const end = text.indexOf('\n}', index);
  return text.slice(index, end < 0 ? undefined : end + 2);
}
