import { type DataStream, type EnvironmentConfig, type JobResult, LocalEnvironment } from '../../../ts/index.ts';

/** What a pipeline gave and how its job ended. */
export interface Outcome<T> {
  readonly records: T[];
  readonly result: JobResult;
}

/** Builds a pipeline in a new environment, runs it to its end, and gives what came out of the returned stream. */
export async function runToArray<T>(
  build: (env: LocalEnvironment) => DataStream<T>,
  config: EnvironmentConfig = {},
): Promise<Outcome<T>> {
  const env = new LocalEnvironment('e2e', config);
  const records: T[] = [];
  build(env).sink(records);
  const result = await env.submit({ autostop: true });
  return { records, result };
}

/** The records alone. */
export async function recordsOf<T>(build: (env: LocalEnvironment) => DataStream<T>, config?: EnvironmentConfig): Promise<T[]> {
  return (await runToArray(build, config)).records;
}

/** Whole numbers from 0, `count` of them. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
