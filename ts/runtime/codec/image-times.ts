import type { LayoutCache } from './batch-reader.ts';

/** The column of event times in the image of a batch; a view into the image. */
export function imageTimes(image: Buffer, layouts: LayoutCache): Float64Array {
  const header = new Int32Array(image.buffer, image.byteOffset, 2);
  const { plan } = layouts.get(header[1]!);
  const place = new Int32Array(image.buffer, image.byteOffset + 4 * (4 + 2 * plan.time!.values), 2);
  return new Float64Array(image.buffer, image.byteOffset + place[0]!, place[1]! / 8);
}
