import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Where a name that has no branch of its own goes. */
export type UnknownRoute =
  /** It is an error of the record. */
  | 'error'
  /** To the branch `default`. */
  | 'default'
  /** Nowhere: other consumers of the stream may have it. */
  | 'ignored';

/** Asks a function where each record goes. Its own output has every record, its branches are side outputs by name. */
export class RouteTransformation extends BaseTransformation {
  readonly kind = 'route';
  readonly router: UserFunction;
  /** The names that are known; undefined when any name is. */
  readonly names: readonly string[] | undefined;
  readonly unknown: UnknownRoute;

  /** @param name `split` or `route`: the call that the user wrote. */
  constructor(
    input: BaseTransformation,
    router: UserFunction,
    branches: { readonly names: readonly string[] | undefined; readonly unknown: UnknownRoute },
    name: string,
    declaredAt: SourceLocation,
  ) {
    super(name, [input], declaredAt);
    this.router = router;
    this.names = branches.names;
    this.unknown = branches.unknown;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
