import { randomUUID } from 'node:crypto';

import type { EdgeId, StageId, TaskId } from '../../../ts/common/ids.ts';
import { encodeExecutionGraph } from '../../../ts/compiler/execution/encode-execution-graph.ts';
import type { Edge, Task } from '../../../ts/compiler/execution-graph.ts';

/** The task that makes records; it runs in isolate 0. */
export const SENDER = 0;
/** The task that takes them; it runs in isolate 1. */
export const RECEIVER = 1;

/**
 * The graph of the least job that uses everything: one task sends to another, each in an isolate of its own.
 *
 * @param operator of each task, where it has one
 */
export function tinyGraph(operator?: (task: number) => string): Uint8Array {
  const task = (id: number): Task => ({
    id: id as TaskId,
    stage: id as StageId,
    name: `task ${id}`,
    instance: 0,
    parallelism: 1,
    isolate: id,
    kind: 'js',
    isSource: id === SENDER,
    spec: undefined,
    dormant: false, chain: undefined,
    ...(operator === undefined ? {} : { operators: [operator(id)] }),
  });
  const edge: Edge = {
    id: 0 as EdgeId,
    exchange: 0,
    fromTask: SENDER as TaskId,
    fromOutput: 0,
    toTask: RECEIVER as TaskId,
    toGate: 0,
    partition: 'forward',
    maxRows: 1024,
    maxBytes: 1 << 20,
  };
  return encodeExecutionGraph({ keyGroups: 128, tasks: [task(SENDER), task(RECEIVER)], edges: [edge] }, { id: randomUUID(), name: 'tiny' });
}

/** The image of a batch, as `docs/internals/data-path.md` describes it. */
export function imageOf(rows: number, layout: number, buffers: readonly Uint8Array[], encodings: readonly number[] = []): Uint8Array {
  const header = 4 + 2 * buffers.length + encodings.length;
  let end = Math.ceil((header * 4) / 8) * 8;
  const offsets = buffers.map(({ length }) => {
    const offset = end;
    end = Math.ceil((end + length) / 8) * 8;
    return offset;
  });
  const image = new Uint8Array(end);
  const integers = [rows, layout, buffers.length, encodings.length, ...buffers.flatMap(({ length }, b) => [offsets[b]!, length]), ...encodings];
  new Int32Array(image.buffer).set(integers);
  buffers.forEach((bytes, b) => image.set(bytes, offsets[b]));
  return image;
}

/** The layout of `numberImage`. */
export const NUMBER_LAYOUT = '{"row":"f64"}';

/** A batch of numbers. */
export const numberImage = (layout: number, numbers: readonly number[]): Uint8Array =>
  imageOf(numbers.length, layout, [new Uint8Array(new Float64Array(numbers).buffer)]);
