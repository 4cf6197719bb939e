/** A copy of a batch image in memory of its own: images are valid only while they are delivered. */
export function copyImage(image: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(image.length));
  image.copy(copy);
  return copy;
}
