/** Bytes that are written again and again, ready to be copied in words: a call of `set` costs more than to write a few, and so does one byte at a time. */
export class BytesTemplate {
  readonly bytes: Uint8Array;
  /** Little-endian, with zeros behind the last byte. */
  readonly words: Int32Array;

  constructor(bytes: Uint8Array) {
    this.bytes = Uint8Array.from(bytes);
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    const view = new DataView(padded.buffer);
    this.words = Int32Array.from({ length: padded.length / 4 }, (_, n) => view.getInt32(4 * n, true));
  }
}
