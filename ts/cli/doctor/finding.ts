/** What `doctor` found out about one thing. */
export interface Finding {
  /** What was looked at; stable, for programs. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was seen. */
  readonly detail: string;
  /** One thing to do; only where something is not ok. */
  readonly fix?: string;
}

/** It is as it should be. */
export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail };
}

/** It works, but worse than it could. */
export function warn(check: string, detail: string, fix: string): Finding {
  return { check, status: 'warn', detail, fix };
}

/** Pipelines do not run like this. */
export function fail(check: string, detail: string, fix: string): Finding {
  return { check, status: 'fail', detail, fix };
}
