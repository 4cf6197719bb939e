/** A module with one pipeline. */
import { definePipeline, type LocalEnvironment } from '../../../../ts/index.ts';

export const greetings = definePipeline(import.meta.url, (env: LocalEnvironment, args: { names?: string[] }) => {
  env.fromCollection(args.names ?? ['you']).map((name) => `hello ${name}`).print();
});
