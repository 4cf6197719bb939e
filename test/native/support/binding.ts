import { readFileSync } from 'node:fs';

import { toSageError } from '../../../ts/common/errors.ts';
import { ERROR_TABLE } from '../../../ts/common/error-codes.generated.ts';
import { loadCore } from '../../../ts/runtime/native/load-core.ts';

/** Every function that the addon exports. */
export const exported = loadCore() as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** A parameter of an export, as its declaration says. */
export interface Parameter {
  readonly name: string;
  readonly type: string;
}

const declarations = readFileSync(new URL('../../../ts/runtime/native/generated/binding.d.ts', import.meta.url), 'utf8');

/** The parameters of each declared function. */
export const signatures: ReadonlyMap<string, readonly Parameter[]> = new Map(
  [...declarations.matchAll(/^export declare function (\w+)\((.*)\): [\w<> |]+;?$/gm)].map(([, name, parameters]) => [
    name!,
    [...parameters!.matchAll(/(\w+)\??: (\([^)]*\) => void|\w+)/g)].map(([, parameter, type]) => ({ name: parameter!, type: type! })),
  ]),
);

/** How a call ended: what it gave, or the error that it threw, which has to be one that can be read. */
export function outcomeOf(name: string, args: readonly unknown[]): { readonly value: unknown } | { readonly code: string; readonly message: string } {
  try {
    return { value: exported[name]!(...args) };
  } catch (error) {
    const { code, message } = toSageError(error);
    if (!(error instanceof Error) || !Object.hasOwn(ERROR_TABLE, code) || message === '') throw new Error(`${name} threw something odd`, { cause: error });
    return { code, message };
  }
}
