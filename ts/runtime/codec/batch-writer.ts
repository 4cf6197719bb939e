import { SageError, coreError, isSageError } from '../../common/errors.ts';
import { type BufferOffsets, emitEncoder } from '../../compiler/codegen/encoder.ts';
import { type BatchPlan, planBatch } from '../../compiler/layout/batch-plan.ts';
import {
  type EdgeEncoding,
  fallbackLeaf,
  inferKeyNode,
  inferNode,
  isRecordLike,
  widenNodes,
} from '../../compiler/layout/infer-layout.ts';
import { type Layout, type LayoutNode, type LeafNode, leaf, makeLayout } from '../../compiler/layout/layout.ts';
import type { LayoutRegistry } from './batch-reader.ts';
import { canGenerateCode } from './can-generate-code.ts';
import { KeyBytesWriter } from './key-bytes.ts';
import { linkEncoder } from './linked-encoder.ts';
import { CROSSES_COLUMNS, ValueWriter, uncloneable } from './value-writer.ts';
import { withoutTextless } from './without-textless.ts';

/** Rows after which a batch is closed. */
export const MAX_BATCH_ROWS = 1024;
/** Variable data (UTF-16 units and token bytes) after which a batch is closed. */
const MAX_BATCH_TEXT = 64 * 1024;
/** Offsets of an image are int32. */
const MAX_IMAGE_BYTES = 2 ** 31 - 2 ** 20;
/** Layouts one edge may go through before its rows become `any`. */
const MAX_LAYOUTS = 64;

/**
 * Numbers in the texts of encoders. Functions of an equal text share their code, and V8 then takes nothing that they have
 * bound for a constant; in code of its own an encoder is inlined where it is called.
 */
let compiled = 0;

/** The functions of one layout, generated or linked. */
export interface BoundEncoder {
  append(value: unknown, key?: unknown, time?: number): void;
  rows(): number;
  text(encoding: number): string;
  reset(): void;
}

/** What an encoder asks of the writer that holds it. */
export interface EncoderHost {
  miss(value: unknown, key: unknown, time: number | undefined): void;
  full(): void;
  /** Whether the object is nothing more than its own fields. */
  isRecord(value: object): boolean;
}

/** The `any` columns of a writer, by encoding. */
export interface ValueColumns {
  column(encoding: number): ValueWriter;
  bytes(): number;
}

/** Views over a writer's resident image. */
export interface ImageViews {
  readonly F64: Float64Array;
  readonly U32: Uint32Array;
  readonly U8: Uint8Array;
}

/** What a writer needs to know of its edge. */
export interface BatchWriterOptions {
  readonly registry: LayoutRegistry;
  readonly keyed: boolean;
  /** Whether each record comes with its event time. */
  readonly timed?: boolean;
  readonly encoding: EdgeEncoding;
  /** Takes a closed image. It is valid during the call only. */
  readonly deliver: (image: Buffer, rows: number) => void;
  /** A layout that is known beforehand (inputs of aggregates); otherwise it is learnt from the records. */
  readonly row?: LayoutNode | undefined;
  /** Columns that are expected; the records decide what it leaves open. */
  readonly announced?: LayoutNode | undefined;
  /** A batch that is divided among several targets may be so many times as large. */
  readonly spread?: number;
}

/**
 * Encodes records into batch images with a generated function for the layout seen so far. When a record does not
 * fit, the batch is closed, the layout widened, and the record written with the new function: no row is encoded twice.
 */
export class BatchWriter {
  /** Appends a record (its key, its event time). Replaced when the layout widens; call it through the writer. */
  append: (value: unknown, key?: unknown, time?: number) => void;
  readonly #options: BatchWriterOptions;
  readonly #maxRows: number;
  readonly #maxText: number;
  readonly #keyBytes = new KeyBytesWriter();
  readonly #values = new Map<number, ValueWriter>();
  readonly #columns: ValueColumns;
  readonly #host: EncoderHost;
  #layout: Layout | undefined;
  #layouts = 0;
  #layoutId = 0;
  #plan!: BatchPlan;
  #offsets!: BufferOffsets;
  #fixedBytes = 0;
  #image!: Buffer;
  #I32!: Int32Array;
  #encoder: BoundEncoder | undefined;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
    this.#maxRows = MAX_BATCH_ROWS * (options.spread ?? 1);
    this.#maxText = MAX_BATCH_TEXT * (options.spread ?? 1);
    this.#columns = {
      column: (encoding) => {
        let writer = this.#values.get(encoding);
        if (writer === undefined) {
          writer = new ValueWriter(options.registry);
          this.#values.set(encoding, writer);
        }
        return writer;
      },
      bytes: () => {
        let bytes = this.#keyBytes.length;
        for (const writer of this.#values.values()) bytes += writer.length + writer.pool.length;
        return bytes;
      },
    };
    this.#host = { miss: (value, key, time) => this.#miss(value, key, time), full: () => this.flush(), isRecord: (value) => isRecordLike(value, options.encoding) };
    this.append = (value, key, time) => this.#miss(value, key, time);
  }

  /** Rows that wait in the open batch. */
  get rows(): number {
    return this.#encoder === undefined ? 0 : this.#encoder.rows();
  }

  /** Layout of the open batch, once a record was seen. */
  get layout(): Layout | undefined {
    return this.#layout;
  }

  /** Closes the open batch, if it has rows, and delivers it. */
  flush(): void {
    const encoder = this.#encoder;
    if (encoder === undefined) return;
    const rows = encoder.rows();
    if (rows === 0) return;
    const image = this.#close(encoder, rows);
    encoder.reset();
    this.#keyBytes.reset();
    for (const writer of this.#values.values()) writer.reset();
    this.#options.deliver(image, rows);
  }

  /** A record that does not fit the layout: the batch before it leaves, and the layout becomes wide enough. */
  #miss(value: unknown, key: unknown, time: number | undefined): void {
    const { encoding, keyed, timed } = this.#options;
    if (encoding === 'json') {
      const written = withoutTextless(value);
      if (!Object.is(written, value)) {
        this.append(written, key, time);
        return;
      }
    }
    this.flush();
    const seen = inferNode(value, encoding);
    let row: LayoutNode;
    let keyNode: LeafNode | undefined;
    if (this.#layout === undefined) {
      const { announced } = this.#options;
      // The order of the fields is that of the record: copies look like it.
      row = this.#options.row ?? (announced === undefined ? seen : widenNodes(seen, announced, encoding));
      keyNode = keyed ? inferKeyNode(key) : undefined;
    } else {
      row = widenNodes(this.#layout.row, seen, encoding);
      keyNode = keyed ? this.#widenKey(key) : undefined;
      if (this.#layouts >= MAX_LAYOUTS) row = fallbackLeaf(encoding, row.optional);
    }
    let layout = makeLayout(row, keyNode, timed);
    if (layout.text === this.#layout?.text) {
      // The guards refuse what the types allow (inherited fields, an object that is both a Map and a record ...):
      // only the general codec says exactly what such a value is.
      layout = makeLayout(fallbackLeaf(encoding, row.optional), keyNode, timed);
      if (layout.text === this.#layout.text) {
        throw new SageError('SAGE_CODEC_UNCLONEABLE', 'a record fits no column layout, not even the general one');
      }
    }
    this.#use(layout);
    this.append(value, key, time);
  }

  #widenTo(layout: Layout): void {
    this.flush();
    this.#use(layout);
  }

  #widenKey(key: unknown): LeafNode {
    const now = this.#layout!.key!;
    const seen = inferKeyNode(key);
    return now.kind === seen.kind ? now : leaf('bytes');
  }

  #use(layout: Layout): void {
    this.#layout = layout;
    this.#layouts++;
    this.#layoutId = this.#options.registry.internLayout(layout.text);
    this.#plan = planBatch(layout);
    this.#layOut();
    const memory = this.#image.buffer;
    const views: ImageViews = {
      F64: new Float64Array(memory),
      U32: new Uint32Array(memory),
      U8: new Uint8Array(memory),
    };
    const { encoding } = this.#options;
    this.#encoder = canGenerateCode()
      ? (new Function(
          'F64', 'U32', 'U8', 'capacityRows', 'textLimit', 'values', 'keyBytes', 'host',
          `// ${++compiled}\n${emitEncoder(this.#plan, this.#offsets, encoding)}`,
        )(
          views.F64, views.U32, views.U8, this.#maxRows, this.#maxText, this.#columns, this.#keyBytes, this.#host,
        ) as BoundEncoder)
      : linkEncoder(this.#plan, this.#offsets, encoding, views, {
          capacityRows: this.#maxRows,
          textLimit: this.#maxText,
          values: this.#columns,
          keyBytes: this.#keyBytes,
          host: this.#host,
        });
    this.append = this.#guarded(this.#encoder);
  }

  /** Columns whose writing can throw half way through a row are cut back to the rows before it. */
  #guarded(encoder: BoundEncoder): BoundEncoder['append'] {
    if (this.#options.encoding === 'json') return jsonGuarded(encoder);
    const throwing = this.#plan.buffers.length > 0 && /"(any|bytes)\??"/.test(this.#layout!.text);
    if (!throwing) return encoder.append;
    return (value, key, time) => {
      const before = encoder.rows();
      const keyLength = this.#keyBytes.length;
      const lengths = new Map([...this.#values.values()].map((writer) => [writer, [writer.length, writer.pool.length] as const]));
      try {
        encoder.append(value, key, time);
      } catch (error) {
        if (encoder.rows() === before && this.#encoder === encoder) {
          this.#keyBytes.truncate(Math.min(keyLength, this.#keyBytes.length));
          for (const writer of this.#values.values()) {
            // One that was made for this row had nothing before it.
            const [length, pool] = lengths.get(writer) ?? [0, 0];
            if (writer.length >= length) writer.truncate(length, pool);
          }
        }
        if (error === CROSSES_COLUMNS) {
          this.#widenTo(makeLayout(fallbackLeaf('columns', this.#layout!.row.optional), this.#layout!.key, this.#layout!.timed));
          this.append(value, key, time);
          return;
        }
        throw isSageError(error, 'SAGE_CODEC_UNCLONEABLE') ? uncloneable(error.cause, value) : error;
      }
    };
  }

  /** Places the fixed-width buffers of a full batch behind the header; text and bytes follow when a batch is closed. */
  #layOut(): void {
    const { buffers, encodings } = this.#plan;
    let at = align8(4 * (4 + 2 * buffers.length + encodings));
    this.#offsets = buffers.map((role) => {
      if (role === 'data') return -1;
      const offset = at;
      at = align8(at + this.#maxRows * widthBytes(role));
      return offset;
    });
    this.#fixedBytes = at;
    this.#image = Buffer.from(new ArrayBuffer(align8(at + 4 * this.#maxText)));
    this.#I32 = new Int32Array(this.#image.buffer);
  }

  /** Writes header and variable data; the image is the resident one, or a larger one for an over-large batch. */
  #close(encoder: BoundEncoder, rows: number): Buffer {
    const { buffers, encodings, key, row } = this.#plan;
    const data = collectData(key === undefined ? [row] : [key, row]);
    const pieces = data.map((piece) => this.#piece(encoder, piece));
    const needed = this.#room(pieces);
    let image = this.#image;
    let I32 = this.#I32;
    if (needed > image.length) {
      image = Buffer.from(new ArrayBuffer(align8(needed)));
      this.#image.copy(image, 0, 0, this.#fixedBytes);
      I32 = new Int32Array(image.buffer);
    }
    I32[0] = rows;
    I32[1] = this.#layoutId;
    I32[2] = buffers.length;
    I32[3] = encodings;
    buffers.forEach((role, n) => {
      if (role === 'data') return;
      I32[4 + 2 * n] = this.#offsets[n]!;
      I32[5 + 2 * n] = rows * widthBytes(role);
    });
    let at = this.#fixedBytes;
    data.forEach(({ buffer, encoding }, n) => {
      const piece = pieces[n]!;
      let length: number;
      if (typeof piece === 'string') {
        const written = writeText(image, at, piece);
        length = written.bytes;
        I32[4 + 2 * buffers.length + encoding] = written.encoding;
      } else {
        image.set(piece, at);
        length = piece.length;
      }
      I32[4 + 2 * buffer] = at;
      I32[5 + 2 * buffer] = length;
      at = align8(at + length);
    });
    return at === image.length ? image : image.subarray(0, at);
  }

  /** Bytes that an image with these texts and bytes has room in. */
  #room(pieces: readonly (string | Uint8Array)[]): number {
    const room = (bytesOf: (text: string) => number): number =>
      pieces.reduce((sum, piece) => sum + 8 + (typeof piece === 'string' ? bytesOf(piece) : piece.length), this.#fixedBytes);
    // Worst case of UTF-8: three bytes a unit.
    const atMost = room((text) => text.length * 3);
    if (atMost <= MAX_IMAGE_BYTES) return atMost;
    const bytes = room((text) => (text.isWellFormed() ? Buffer.byteLength(text) : text.length * 3));
    if (bytes <= MAX_IMAGE_BYTES) return bytes;
    throw new SageError('SAGE_LIMIT_BATCH', `a batch would need ${bytes} bytes, and may have 2 GiB`);
  }

  #piece(encoder: BoundEncoder, piece: DataBuffer): string | Uint8Array {
    switch (piece.holds) {
      case 'text':
        return encoder.text(piece.encoding);
      case 'keys':
        return this.#keyBytes.bytes();
      case 'tokens':
        return this.#columns.column(piece.encoding).tokens();
      case 'pool':
        return this.#columns.column(piece.encoding).pool;
    }
  }
}

/** One buffer of variable data: its index, the encoding it belongs to, and where its content comes from. */
interface DataBuffer {
  readonly buffer: number;
  readonly encoding: number;
  readonly holds: 'text' | 'keys' | 'tokens' | 'pool';
}

function collectData(nodes: readonly BatchPlan['row'][]): DataBuffer[] {
  return nodes.flatMap((planned): DataBuffer[] => {
    const { node, values, encoding } = planned;
    if (node.type !== 'leaf') return collectData(planned.children);
    if (node.kind === 'bytes') return [{ buffer: values + 1, encoding: -1, holds: 'keys' }];
    if (node.kind === 'str' || node.kind === 'json') return [{ buffer: values + 1, encoding, holds: 'text' }];
    if (node.kind !== 'any') return [];
    return [
      { buffer: values + 1, encoding, holds: 'tokens' },
      { buffer: values + 3, encoding, holds: 'pool' },
    ];
  });
}

/** Writes a column's text in the cheapest encoding that keeps it exactly. */
function writeText(image: Buffer, at: number, text: string): { bytes: number; encoding: 0 | 1 | 2 } {
  const bytes = image.write(text, at, 'utf8');
  if (bytes === text.length) return { bytes, encoding: 0 };
  if (text.isWellFormed()) return { bytes, encoding: 1 };
  return { bytes: image.write(text, at, 'utf16le'), encoding: 2 };
}

function widthBytes(role: BatchPlan['buffers'][number]): number {
  if (role === 'f64') return 8;
  return role === 'ends' || role === 'i32' ? 4 : 1;
}

function align8(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** What JSON refuses is refused before anything of the row is written; it is said for what it is, not as the user's own error. */
function jsonGuarded(encoder: BoundEncoder): BoundEncoder['append'] {
  return (value, key, time) => {
    try {
      encoder.append(value, key, time);
    } catch (error) {
      // Closing a full batch hands it to the core, which has errors of its own.
      if (isSageError(error) || coreError(error) !== undefined) throw error;
      throw new SageError('SAGE_CODEC_UNCLONEABLE', `the record cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`, {
        help: 'Make something of it in a map before the sink that JSON can hold: String(x) or Number(x) of a bigint, ids in place of cycles.',
        cause: error,
      });
    }
  };
}
