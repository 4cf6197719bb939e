import type { BytesTemplate } from './bytes-template.ts';

/** A byte buffer that doubles when it is full. Writers keep `length` themselves and call `reserve` first. */
export class GrowableBytes {
  buffer: Buffer;
  view: DataView;
  length = 0;

  constructor(initialBytes = 4096) {
    this.buffer = Buffer.allocUnsafeSlow(initialBytes);
    this.view = new DataView(this.buffer.buffer);
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    let capacity = this.buffer.length * 2;
    while (capacity < needed) capacity *= 2;
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** Appends the bytes of a template; up to three bytes behind them may change. */
  template({ bytes, words }: BytesTemplate): void {
    this.reserve(4 * words.length);
    const { view, length } = this;
    for (let n = 0; n < words.length; n++) view.setInt32(length + 4 * n, words[n]!, true);
    this.length = length + bytes.length;
  }

  /** Appends `bytes` as they are. */
  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }
}
