import type { LogFields } from '../../functions/logger.ts';

/** The fields of a log line, read once: getters and proxies are user code, and a line must never fail the job. */
export function readableFields(fields: LogFields): LogFields {
  try {
    return Object.fromEntries(Object.keys(fields).map((name) => [name, read(fields, name)]));
  } catch {
    return { fields: '[not readable]' };
  }
}

function read(fields: LogFields, name: string): unknown {
  try {
    return fields[name];
  } catch {
    return '[not readable]';
  }
}
