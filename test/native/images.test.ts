import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { exported, outcomeOf } from './support/binding.ts';
import { NUMBER_LAYOUT, RECEIVER, SENDER, imageOf, numberImage, tinyGraph } from './support/tiny-job.ts';

const ODD = [-1, 0, 1, 2, 3, 7, 8, 255, 4096, 2 ** 20, 2 ** 20 + 1, 2 ** 31 - 1, -(2 ** 31), -8];
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const integers = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
const doubles = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Batches of two rows, one for each kind of buffer that there is. */
const SAMPLES: readonly { layout: string; buffers: readonly Uint8Array[]; encodings?: readonly number[] }[] = [
  { layout: NUMBER_LAYOUT, buffers: [doubles(1, Number.NaN)] },
  { layout: '{"row":{"rec":[["a","f64?"],["b","bool"],["c","i32"]]}}', buffers: [bytes(0, 3), doubles(1, 0), bytes(1, 0), integers(5, -5)] },
  { layout: '{"row":"str"}', buffers: [integers(1, 3), text('abc')], encodings: [0] },
  { layout: '{"row":"json?"}', buffers: [bytes(0, 1), integers(3, 3), text('"é"')], encodings: [1] },
  { layout: '{"row":{"tup":["date",{"rec":[["x","str?"]],"opt":true}]}}', buffers: [doubles(0, 1), bytes(0, 2), bytes(2, 0), integers(0, 0), bytes()], encodings: [2] },
  { layout: '{"key":"bytes","row":"nil?"}', buffers: [integers(1, 2), bytes(0, 1), bytes(1, 2)] },
  { layout: '{"row":"any"}', buffers: [integers(1, 2), bytes(0, 2), integers(0, 0), bytes()], encodings: [0] },
  { layout: '{"key":"f64","row":{"tup":["f64?"]}}', buffers: [doubles(1, 2), bytes(0, 1), doubles(3, 0)] },
  { layout: '{"key":"str","row":{"tup":["f64?"]}}', buffers: [integers(1, 2), text('ab'), bytes(0, 1), doubles(3, 0)], encodings: [0] },
];

let job: number;
let sender: number;
let receiver: number;
let images: Uint8Array[];

beforeAll(() => {
  job = exported['createJob']!(tinyGraph()) as number;
  [sender, receiver] = [0, 1].map((isolate) => exported['attachIsolate']!(job, isolate) as number) as [number, number];
  images = SAMPLES.map(({ layout, buffers, encodings }) => imageOf(2, exported['internLayout']!(job, layout) as number, buffers, encodings));
  expect(exported['poll']!(sender, -1, 0)).toBe(SENDER);
});
afterAll(() => void exported['dropJob']!(job));

/** Sends an image and takes it at the other end; undefined when it was refused, which has to say why. */
function pass(image: Uint8Array): Uint8Array | undefined {
  const outcome = outcomeOf('emit', [sender, SENDER, 0, image]);
  if ('code' in outcome) {
    expect(outcome.code).toMatch(/^SAGE_(FORMAT_BATCH|LIMIT_BATCH|INTERNAL)$/);
    return undefined;
  }
  if (exported['poll']!(receiver, -1, 0) !== RECEIVER) return new Uint8Array(0);
  const desc = new Int32Array(4);
  const small = exported['take']!(receiver, RECEIVER, desc, new Uint8Array(0));
  if (small === 0) {
    // A batch without rows is no batch.
    exported['release']!(receiver, RECEIVER);
    return new Uint8Array(0);
  }
  expect(small).toBe(5);
  const into = new Uint8Array(desc[1]!);
  expect(exported['take']!(receiver, RECEIVER, desc, into)).toBe(1);
  exported['release']!(receiver, RECEIVER);
  return into;
}

/** Everything that a batch can be given to. */
function useInState(image: Uint8Array): void {
  const aggregate = exported['aggregateCreate']!(job, '[{"kind":"count"},{"kind":"sum","input":0}]') as number;
  const slots = exported['slotsCreate']!(job) as number;
  outcomeOf('aggregateUpdate', [aggregate, image]);
  outcomeOf('aggregateUpdateEmit', [aggregate, image]);
  outcomeOf('aggregateTakeResults', [aggregate, new Uint8Array(512)]);
  outcomeOf('aggregateDrain', [aggregate, 0, 1024, new Uint8Array(4096), new Int32Array(4)]);
  outcomeOf('slotsFor', [slots, image, new Int32Array(2)]);
  exported['stateDrop']!(aggregate);
  exported['stateDrop']!(slots);
}

function expectAllWell(): void {
  expect(exported['jobStatus']!(job)).toBe('running');
  images.forEach((image) => expect(pass(image)).toEqual(image));
}

describe('batch images', () => {
  it('that are right arrive as they were sent', expectAllWell);

  it('of random bytes are refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (image) => {
      pass(image);
      useInState(image);
    }));
    expectAllWell();
  });

  it('with one word changed to an odd one are refused, or are another batch', () => {
    for (const image of images) {
      for (let word = 0; word < image.length / 4; word++) {
        for (const value of ODD) {
          const changed = image.slice();
          new Int32Array(changed.buffer)[word] = value;
          pass(changed);
          useInState(changed);
        }
      }
    }
    expectAllWell();
  }, 60_000);

  it('with random bytes changed, cut off anywhere, and not aligned', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(fc.property(fc.nat(), fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat(7), (which, changes, cut, shift) => {
      const image = images[which % images.length]!.slice();
      for (const [at, value] of changes) image[at % image.length] = value;
      const shifted = new Uint8Array(image.length + shift).subarray(shift);
      shifted.set(image);
      for (const bad of [image, shifted, image.subarray(0, cut % (image.length + 1))]) {
        pass(bad);
        useInState(bad);
      }
    }));
    expectAllWell();
  });

  it('of layouts that do not exist', () => {
    for (const layout of [-1, 999, 2 ** 31 - 1]) expect(pass(numberImage(layout, [1]))).toBeUndefined();
    expectAllWell();
  });
});

describe('execution graphs', () => {
  it('of random bytes, changed or cut off, are refused or are another graph; the process lives', () => {
    const graph = tinyGraph();
    const change = fc.tuple(fc.nat(graph.length - 1), fc.nat(255));
    fc.assert(fc.property(fc.array(change, { maxLength: 5 }), fc.nat(graph.length), fc.uint8Array({ maxLength: 200 }), (changes, cut, random) => {
      const changed = graph.slice();
      for (const [at, value] of changes) changed[at] = value;
      for (const bad of [changed, changed.subarray(0, cut), random]) {
        const outcome = outcomeOf('createJob', [bad]);
        if ('value' in outcome) exported['dropJob']!(outcome.value);
        else expect(outcome.code).toMatch(/^SAGE_(FORMAT_GRAPH|PLAN_\w+|INTERNAL|LIMIT_\w+)$/);
      }
    }));
    expectAllWell();
  });
});
