import type { BatchPlan, PlannedNode } from '../layout/batch-plan.ts';

/**
 * The pieces of text that read one row of a batch. `prelude` runs once a call, `row` once a row before `key`, `time` and
 * `record` (expressions) are used. All of them name `B`, the batch reader, and `i`, the row.
 */
export interface DecoderText {
  readonly prelude: readonly string[];
  readonly row: readonly string[];
  readonly key: string | undefined;
  readonly time: string | undefined;
  readonly record: string;
}

/**
 * Emits the text that turns columns into the user's records inside the generated function: the object literal then
 * never has to exist when the user's functions are inlined.
 *
 * @param missing whether some field of this batch is absent in some row; records are then built field by field.
 */
export function emitDecoder(plan: BatchPlan, missing: boolean): DecoderText {
  const emitter = new DecoderEmitter(missing);
  const key = plan.key === undefined ? undefined : emitter.value(plan.key);
  const time = plan.time === undefined ? undefined : emitter.value(plan.time);
  const record = emitter.value(plan.row);
  return { prelude: emitter.prelude, row: emitter.row, key, time, record };
}

/** As `emitDecoder`, for a layout whose row is a tuple: one expression for each item, so that no array is made. */
export function emitTupleColumns(plan: BatchPlan): Omit<DecoderText, 'record'> & { readonly columns: readonly string[] } {
  const emitter = new DecoderEmitter(false);
  const key = plan.key === undefined ? undefined : emitter.value(plan.key);
  const time = plan.time === undefined ? undefined : emitter.value(plan.time);
  const columns = plan.row.children.map((child) => emitter.value(child));
  return { prelude: emitter.prelude, row: emitter.row, key, time, columns };
}

class DecoderEmitter {
  readonly prelude: string[] = [];
  readonly row: string[] = [];
  readonly #missing: boolean;
  #names = 0;

  constructor(missing: boolean) {
    this.#missing = missing;
  }

  /** An expression for the value of the node in row `i`. */
  value(planned: PlannedNode): string {
    if (planned.presence < 0) return this.#present(planned);
    const presence = this.#base(planned.presence, 0);
    const p = `_q${this.#names++}`;
    this.row.push(`const ${p} = U8[${presence} + i];`);
    const absent = `${p} === 1 ? null : undefined`;
    const { node } = planned;
    if (node.type === 'leaf' && node.kind === 'nil') return `(${absent})`;
    return `(${p} === 0 ? ${this.#present(planned)} : ${absent})`;
  }

  #base(buffer: number, shift: number): string {
    const name = `_b${buffer}`;
    this.prelude.push(`const ${name} = I32[${4 + 2 * buffer}]${shift === 0 ? '' : ` >> ${shift}`};`);
    return name;
  }

  /** Declares where the row's text or bytes begin and end; both are carried from row to row. */
  #range(buffer: number): { start: string; end: string } {
    const ends = this.#base(buffer, 2);
    const start = `_s${buffer}`;
    const next = `_n${buffer}`;
    const end = `_e${buffer}`;
    this.prelude.push(`let ${next} = start === 0 ? 0 : U32[${ends} + start - 1];`);
    this.row.push(`const ${start} = ${next}; const ${end} = U32[${ends} + i]; ${next} = ${end};`);
    return { start, end };
  }

  #present(planned: PlannedNode): string {
    const { node } = planned;
    if (node.type === 'tuple') return `[${planned.children.map((child) => this.value(child)).join(', ')}]`;
    if (node.type === 'record') return this.#record(planned);
    const at = planned.values;
    switch (node.kind) {
      case 'f64':
        return `F64[${this.#base(at, 3)} + i]`;
      case 'date':
        return `new Date(F64[${this.#base(at, 3)} + i])`;
      case 'i32':
        return `I32[${this.#base(at, 2)} + i]`;
      case 'bool':
        return `U8[${this.#base(at, 0)} + i] === 1`;
      case 'str':
      case 'json': {
        const text = `_t${at}`;
        this.prelude.push(`const ${text} = B.text(${at + 1}, ${planned.encoding});`);
        const { start, end } = this.#range(at);
        const slice = `${text}.substring(${start}, ${end})`;
        return node.kind === 'str' ? slice : `JSON.parse(${slice})`;
      }
      case 'bytes': {
        const bytes = `_k${at}`;
        this.prelude.push(`const ${bytes} = B.bytes(${at + 1});`);
        const { start, end } = this.#range(at);
        return `B.readKey(${bytes}, ${start}, ${end})`;
      }
      case 'any': {
        const reader = `_v${at}`;
        this.prelude.push(`const ${reader} = B.values(${at + 1}, ${at + 3}, ${planned.encoding});`);
        const { start } = this.#range(at);
        const pool = this.#range(at + 2);
        return `${reader}.read(${start}, ${pool.start})`;
      }
      default:
        return 'undefined';
    }
  }

  #record(planned: PlannedNode): string {
    const { node } = planned;
    if (node.type !== 'record') return 'undefined';
    const names = node.fields.map(([name]) => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)));
    const canMiss = this.#missing && planned.children.some((child) => child.presence >= 0);
    if (!canMiss) {
      return `{ ${planned.children.map((child, n) => `${names[n]!}: ${this.value(child)}`).join(', ')} }`;
    }
    // Built in a function of its own: a batch with absent fields makes objects of several shapes anyway.
    const object = `_o${this.#names++}`;
    const body: string[] = [`const ${object} = {};`];
    planned.children.forEach((child, n) => {
      const value = this.value(child);
      const name = JSON.stringify(node.fields[n]![0]);
      const assign =
        node.fields[n]![0] === '__proto__'
          ? `Object.defineProperty(${object}, ${name}, { value: ${value}, writable: true, enumerable: true, configurable: true });`
          : `${object}[${name}] = ${value};`;
      body.push(child.presence < 0 ? assign : `if (U8[_b${child.presence} + i] !== 3) ${assign}`);
    });
    return `(() => { ${body.join(' ')} return ${object}; })()`;
  }
}
