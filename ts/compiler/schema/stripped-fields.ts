import type { StandardSchema } from '../../common/standard-schema.ts';

/** Fields of a record by name; whether a record may be without it. */
export type SchemaFields = ReadonlyMap<string, { readonly mayBeMissing: boolean }>;

type Fields = Map<string, { mayBeMissing: boolean }>;
type Read = (schema: Readonly<Record<string, unknown>>) => Fields | undefined;

/**
 * The fields that a schema looks at, when it takes objects and quietly leaves out all others: these need not be read at
 * all. `undefined` for any other schema: one that keeps what it does not know, refuses it, or works on the object before it
 * looks at its fields. No standard says that, JSON Schema least of all (`preprocess` of zod has the fields of what is
 * behind it), so that it is asked of the libraries that show it.
 */
export function strippedFields(schema: StandardSchema): SchemaFields | undefined {
  const read = ({ zod: ofZod, valibot: ofValibot, arktype: ofArktype } as Readonly<Record<string, Read | undefined>>)[schema['~standard'].vendor];
  try {
    const fields = read?.(schema as unknown as Readonly<Record<string, unknown>>);
    return fields !== undefined && fields.size > 0 ? fields : undefined;
  } catch {
    return undefined; // another version of the library: everything is read
  }
}

/** `z.object(...)` of zod 4: its definition is that of an object without a catch-all. */
function ofZod(schema: Readonly<Record<string, unknown>>): Fields | undefined {
  interface Internals {
    readonly def: { readonly type: string; readonly shape: Readonly<Record<string, { readonly _zod: Internals }>>; readonly catchall?: unknown };
    /** `optional`, `defaulted` ...; only a field that must be there has none. */
    readonly optin?: string;
  }
  const { def } = schema['_zod'] as Internals;
  if (def.type !== 'object' || def.catchall !== undefined) return undefined;
  return new Map(Object.entries(def.shape).map(([name, field]) => [name, { mayBeMissing: field._zod.optin !== undefined }]));
}

/** `v.object(...)`: the loose and strict ones have types of their own, and a pipe keeps the type of its first schema. */
function ofValibot(schema: Readonly<Record<string, unknown>>): Fields | undefined {
  if (schema['kind'] !== 'schema' || schema['type'] !== 'object') return undefined;
  const entries = schema['entries'] as Readonly<Record<string, { readonly type: string }>>;
  return new Map(
    Object.entries(entries).map(([name, { type }]) => [name, { mayBeMissing: ['optional', 'exact_optional', 'nullish'].includes(type) }]),
  );
}

/** `type({ ..., '+': 'delete' })`: one that morphs as a whole has no domain in its JSON. */
function ofArktype(schema: Readonly<Record<string, unknown>>): Fields | undefined {
  interface Json {
    readonly domain?: unknown;
    readonly undeclared?: unknown;
    readonly index?: unknown;
    readonly predicate?: unknown;
    readonly required?: readonly { readonly key: string }[];
    readonly optional?: readonly { readonly key: string }[];
  }
  const { domain, undeclared, index, predicate, required = [], optional = [] } = schema['json'] as Json;
  if (domain !== 'object' || undeclared !== 'delete' || index !== undefined || predicate !== undefined) return undefined;
  const named = (fields: typeof required, mayBeMissing: boolean) => fields.map(({ key }) => [key, { mayBeMissing }] as const);
  return new Map([...named(required, false), ...named(optional, true)]);
}
