/** A program that fails before it has a pipeline. */
export const ready: boolean = fail();

function fail(): never {
  throw new TypeError('the program itself is broken');
}
