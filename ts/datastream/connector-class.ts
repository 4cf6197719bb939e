import { isClass } from '../functions/class-detection.ts';

/** The class of a connector, where one that was made is wanted. */
export type ConnectorClass = new (...args: never[]) => { describe(): unknown };

/** Whether `value` is the class of a connector, such as `JsonLinesSink`, and no object of it. */
export function isConnectorClass(value: unknown): value is ConnectorClass {
  if (!isClass(value)) return false;
  const { describe, execute } = (value as { prototype: Partial<Record<'describe' | 'execute', unknown>> }).prototype;
  return typeof describe === 'function' && typeof execute !== 'function';
}

/** How an object of it is made: `new JsonLinesSink(...)`, or by its first static method, `FileSource.jsonLines(...)`. */
export function makingOf(connector: ConnectorClass): string {
  const statics = connector as unknown as Readonly<Record<string, unknown>>;
  const factory = Object.getOwnPropertyNames(connector).find((name) => name !== 'prototype' && typeof statics[name] === 'function');
  return factory === undefined ? `new ${connector.name}(...)` : `${connector.name}.${factory}(...)`;
}
