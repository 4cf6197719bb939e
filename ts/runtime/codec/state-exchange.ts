/**
 * What has to be done about the states in memory before the rows of a batch are worked on, as the core says it
 * (`docs/internals/data-path.md`, section 7). In this order: forget what has `expired`, take in what was `loaded`, encode what is
 * `toEncode` and give it back when the batch is finished, and forget all states of the slots that are `givenUp`.
 */
export interface StateExchange {
  /** Slot and state, one behind the other. */
  readonly expired: Int32Array;
  /** Slot, state and where the value ends in `data`, one behind the other. */
  readonly loaded: Int32Array;
  readonly givenUp: Int32Array;
  /** Slot and state, one behind the other. */
  readonly toEncode: Int32Array;
  /** The values that were loaded, one behind the other. */
  readonly data: Uint8Array;
  /** One more than the greatest slot: what arrays by slot must have room for. */
  readonly slotCount: number;
}

const HEAD_INTEGERS = 8;

/** Reads the image that `keyedStateTake` has written. `image` begins at a multiple of 4 bytes; the results are views of it. */
export function readStateExchange(image: Uint8Array): StateExchange {
  const { buffer, byteOffset, byteLength } = image;
  const [expired, loaded, givenUp, toEncode, slotCount, dataOffset] = new Int32Array(buffer, byteOffset, HEAD_INTEGERS) as unknown as readonly [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  let offset = byteOffset + HEAD_INTEGERS * 4;
  const integers = (count: number): Int32Array => {
    const view = new Int32Array(buffer, offset, count);
    offset += count * 4;
    return view;
  };
  return {
    expired: integers(expired * 2),
    loaded: integers(loaded * 3),
    givenUp: integers(givenUp),
    toEncode: integers(toEncode * 2),
    data: new Uint8Array(buffer, byteOffset + dataOffset, byteLength - dataOffset),
    slotCount,
  };
}
