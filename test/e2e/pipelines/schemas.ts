import * as z from 'zod';

import { definePipeline, FileSource, JsonLinesSink, type LocalEnvironment } from '../../../ts/index.ts';

const Row = z.object({
  id: z.number(),
  at: z.coerce.date(),
  note: z.string().optional(),
  place: z.object({ x: z.number(), y: z.number().nullable() }).optional(),
});

/** Reads rows, validates them in workers, and sends them through an exchange by key into a file. */
export const validated = definePipeline(import.meta.url, (env: LocalEnvironment, args: { input: string; output: string }) => {
  env
    .fromSource(FileSource.jsonLines(args.input, { schema: Row }))
    .named('rows')
    .keyBy((row) => row.id % 7)
    .map((row) => ({ ...row, at: row.at.getTime() }))
    .parallelism(1)
    .sink(new JsonLinesSink(args.output));
});
