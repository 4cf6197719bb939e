import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import { commonKey } from './common-key.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Who takes the records of the inputs. */
export type CoMapHandlers =
  /** A function for each input. */
  | { readonly form: 'functions'; readonly fns: readonly UserFunction[] }
  /** The methods `map0`, `map1` ... of one object in each parallel instance. */
  | { readonly form: 'methods'; readonly fn: UserFunction };

/** Gives the records of each input to a handler of their own, in the same parallel instances. */
export class CoMapTransformation extends BaseTransformation {
  readonly kind = 'comap';
  readonly handlers: CoMapHandlers;
  readonly #keepsKey: boolean;

  /** @param keepsKey whether results carry the keys of their records, where all inputs have one. */
  constructor(inputs: readonly BaseTransformation[], handlers: CoMapHandlers, keepsKey: boolean, declaredAt: SourceLocation) {
    super('comap', inputs, declaredAt);
    this.handlers = handlers;
    this.#keepsKey = keepsKey;
  }

  /** The key by which its inputs are divided among instances; nothing unless all have one. */
  get dividedBy(): KeyByTransformation | undefined {
    return commonKey(this.inputs);
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.#keepsKey ? this.dividedBy : undefined;
  }

  override get canFail(): boolean {
    return true;
  }
}
