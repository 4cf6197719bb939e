/** Tokens of the general codec: `docs/internals/data-path.md`, section 5. */
export const TOKEN_NULL = 0;
export const TOKEN_UNDEFINED = 1;
export const TOKEN_FALSE = 2;
export const TOKEN_TRUE = 3;
export const TOKEN_F64 = 4;
export const TOKEN_I32 = 5;
export const TOKEN_STRING = 6;
export const TOKEN_ARRAY = 7;
export const TOKEN_OBJECT = 8;
export const TOKEN_DATE = 9;
export const TOKEN_BIGINT = 10;
export const TOKEN_REFERENCE = 11;
export const TOKEN_V8 = 12;
export const TOKEN_HOLE = 13;
export const TOKEN_NAMED_OBJECT = 14;

/** The job's registry of shapes, as a codec sees it. */
export interface ShapeRegistry {
  internShape(text: string): number;
  shapeText(id: number): string;
}
