import { StateValuesReader, StateValuesWriter } from '../codec/state-values.ts';
import type { ShapeRegistry } from '../codec/value-tokens.ts';
import { SageError } from '../../common/errors.ts';

/**
 * No shapes: the names of an object's fields travel with each value. What a checkpoint keeps is read by another job, perhaps of
 * several old instances at once, whose registries of shapes have other numbers.
 */
export const WITHOUT_SHAPES: ShapeRegistry = {
  internShape: () => -1,
  shapeText: (id) => {
    throw new SageError('SAGE_INTERNAL', `a saved value names the shape ${id}, and there are none`);
  },
};

/** Encodes values of the user for a checkpoint: anything that can be cloned. */
export class SavedValuesWriter {
  readonly #writer = new StateValuesWriter(WITHOUT_SHAPES);

  /** Valid until the next call. @throws SageError SAGE_CODEC_UNCLONEABLE */
  encode(value: unknown): Uint8Array {
    this.#writer.reset();
    this.#writer.write(value);
    return this.#writer.bytes();
  }
}

/** Reads what `SavedValuesWriter` has written. */
export class SavedValuesReader {
  readonly #reader = new StateValuesReader(WITHOUT_SHAPES);

  /** @throws Error for bytes that are no value. */
  decode(bytes: Buffer): unknown {
    return this.#reader.read(bytes, 0, bytes.length);
  }
}
