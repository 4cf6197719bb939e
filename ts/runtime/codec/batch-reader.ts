import { type BatchPlan, planBatch } from '../../compiler/layout/batch-plan.ts';
import { type Layout, MISSING, parseLayout } from '../../compiler/layout/layout.ts';
import { readKey } from './key-bytes.ts';
import { ValueReader } from './value-reader.ts';
import type { ShapeRegistry } from './value-tokens.ts';

/** The registry of a job, as readers and writers see it. */
export interface LayoutRegistry extends ShapeRegistry {
  internLayout(text: string): number;
  layoutText(id: number): string;
}

const ASCII = 0;
const UTF8 = 1;

/** A layout with its plan, read once an isolate. */
export interface KnownLayout {
  readonly id: number;
  readonly layout: Layout;
  readonly plan: BatchPlan;
}

/** Turns layout ids into plans, once each. */
export class LayoutCache {
  readonly registry: LayoutRegistry;
  readonly #known = new Map<number, KnownLayout>();

  constructor(registry: LayoutRegistry) {
    this.registry = registry;
  }

  get(id: number): KnownLayout {
    let known = this.#known.get(id);
    if (known === undefined) {
      const layout = parseLayout(this.registry.layoutText(id));
      known = { id, layout, plan: planBatch(layout) };
      this.#known.set(id, known);
    }
    return known;
  }
}

const INITIAL_BYTES = 256 * 1024;

/**
 * One resident buffer into which batch images are copied, with views over it that generated code reads. It lives as
 * long as its task; nothing is allocated per batch but the strings of its text columns.
 */
export class BatchReader {
  image!: Buffer;
  F64!: Float64Array;
  I32!: Int32Array;
  U32!: Uint32Array;
  U8!: Uint8Array;
  rows = 0;
  known!: KnownLayout;
  /** Whether some optional field is absent in some row of this batch. */
  missing = false;
  readonly readKey: typeof readKey = readKey;
  readonly #layouts: LayoutCache;
  readonly #values = new Map<number, ValueReader>();
  #texts: string[] = [];

  constructor(layouts: LayoutCache) {
    this.#layouts = layouts;
    this.resize(INITIAL_BYTES);
  }

  /** Makes room for images of at least `bytes`; the batch that was loaded is gone. */
  resize(bytes: number): void {
    const capacity = Math.ceil(Math.max(bytes, INITIAL_BYTES) / 8) * 8;
    const memory = new ArrayBuffer(capacity);
    this.image = Buffer.from(memory);
    this.F64 = new Float64Array(memory);
    this.I32 = new Int32Array(memory);
    this.U32 = new Uint32Array(memory);
    this.U8 = new Uint8Array(memory);
  }

  /** Reads the header of the image that was just written into `image`. */
  load(): void {
    const known = this.#layouts.get(this.I32[1]!);
    this.known = known;
    this.rows = this.I32[0]!;
    this.#texts = [];
    this.missing = false;
    known.plan.buffers.forEach((role, buffer) => {
      if (role === 'presence' && !this.missing) this.missing = this.bytes(buffer).includes(MISSING);
    });
  }

  /** The bytes of one buffer. */
  bytes(buffer: number): Buffer {
    const offset = this.I32[4 + 2 * buffer]!;
    return this.image.subarray(offset, offset + this.I32[5 + 2 * buffer]!);
  }

  /** The concatenated text of a column, decoded once a batch. */
  text(buffer: number, encoding: number): string {
    let text = this.#texts[encoding];
    if (text === undefined) {
      const start = this.I32[4 + 2 * buffer]!;
      const end = start + this.I32[5 + 2 * buffer]!;
      const code = this.I32[4 + 2 * this.known.plan.buffers.length + encoding]!;
      if (code === ASCII) text = this.image.toString('latin1', start, end);
      else if (code === UTF8) text = this.image.toString('utf8', start, end);
      else text = this.image.toString('utf16le', start, end);
      this.#texts[encoding] = text;
    }
    return text;
  }

  /** The reader of an `any` column, pointed at this batch. */
  values(tokens: number, pool: number, encoding: number): ValueReader {
    let reader = this.#values.get(encoding);
    if (reader === undefined) {
      reader = new ValueReader(this.#layouts.registry);
      this.#values.set(encoding, reader);
    }
    reader.load(this.bytes(tokens), this.text(pool, encoding));
    return reader;
  }
}
