import type { StandardSchema } from '../../common/standard-schema.ts';
import { type EdgeEncoding, fallbackLeaf, widenNodes } from '../layout/infer-layout.ts';
import { type LayoutNode, leaf, optional } from '../layout/layout.ts';

/** Deeper objects are left to what the records say. */
const MAX_DEPTH = 8;
const NOTHING_KNOWN: LayoutNode = leaf('nil');

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The columns that a schema announces for the records it gives, so that an exchange does not learn them one batch after the
 * other: fields that may be missing or null are known to from the beginning. Only a start: records decide what it leaves
 * open, and one that does not fit widens it. `undefined` when the schema says nothing of use.
 */
export function schemaLayout(schema: StandardSchema, encoding: EdgeEncoding): LayoutNode | undefined {
  const { jsonSchema, vendor } = schema['~standard'];
  try {
    const described = jsonSchema?.output({
      target: 'draft-2020-12',
      // Fields that JSON has no word for (dates) are then left open; otherwise zod describes nothing at all.
      ...(vendor === 'zod' ? { libraryOptions: { unrepresentable: 'any' } } : {}),
    });
    const node = described === undefined ? undefined : nodeOf(described, encoding, 0);
    return node?.type === 'record' ? node : undefined;
  } catch {
    return undefined; // the library cannot say it: the records will
  }
}

function nodeOf(schema: unknown, encoding: EdgeEncoding, depth: number): LayoutNode {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return NOTHING_KNOWN;
  const { type, anyOf, oneOf, enum: values } = schema as JsonSchema;
  const options = anyOf ?? oneOf;
  if (Array.isArray(options)) return anyOfThem(options.map((option) => nodeOf(option, encoding, depth)), encoding);
  if ('const' in schema) return nodeOfType(typeName(schema.const), schema, encoding, depth);
  if (Array.isArray(values)) return anyOfThem(values.map((value) => nodeOfType(typeName(value), {}, encoding, depth)), encoding);
  if (Array.isArray(type)) return anyOfThem(type.map((one) => nodeOfType(one, schema as JsonSchema, encoding, depth)), encoding);
  return nodeOfType(type, schema as JsonSchema, encoding, depth);
}

function nodeOfType(type: unknown, schema: JsonSchema, encoding: EdgeEncoding, depth: number): LayoutNode {
  switch (type) {
    case 'number':
    case 'integer':
      return leaf('f64');
    case 'string':
      return leaf('str');
    case 'boolean':
      return leaf('bool');
    case 'array':
      return fallbackLeaf(encoding);
    case 'object':
      return objectNode(schema, encoding, depth);
    default:
      return NOTHING_KNOWN;
  }
}

function objectNode({ properties, required }: JsonSchema, encoding: EdgeEncoding, depth: number): LayoutNode {
  const known = Object.entries((properties ?? {}) as JsonSchema);
  // An object without known fields may be used as a map.
  if (known.length === 0 || !known.every(([name]) => name.isWellFormed())) return NOTHING_KNOWN;
  const fields = known.map(([name, property]) => {
    const node = nodeOf(property, encoding, depth + 1);
    return [name, Array.isArray(required) && required.includes(name) ? node : optional(node)] as const;
  });
  return { type: 'record', fields, optional: false };
}

/** What is open in one option is open in all of them. */
function anyOfThem(nodes: readonly LayoutNode[], encoding: EdgeEncoding): LayoutNode {
  const [first = NOTHING_KNOWN, ...others] = nodes;
  return others.reduce((all, node) => widenNodes(all, node, encoding), first);
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
