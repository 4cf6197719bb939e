/** Tokens of saved values: `docs/internals/operator-state.md`. All numbers behind them are little endian. */
export const TOKEN_NULL = 0;
export const TOKEN_UNDEFINED = 1;
export const TOKEN_FALSE = 2;
export const TOKEN_TRUE = 3;
/** 8 bytes. */
export const TOKEN_F64 = 4;
/** 4 bytes. */
export const TOKEN_I32 = 5;
/** A byte with the length, and as many bytes of Latin-1. */
export const TOKEN_SHORT_TEXT = 6;
/** `u32` bytes of UTF-8. */
export const TOKEN_UTF8 = 7;
/** `u32` bytes of UTF-16, where surrogates stand alone. */
export const TOKEN_UTF16 = 8;
/** `u32` elements, one behind the other. */
export const TOKEN_ARRAY = 9;
/** `u32` bytes of JSON, the names of the fields, and the value of each. */
export const TOKEN_OBJECT = 10;
/** Epoch milliseconds as 8 bytes. */
export const TOKEN_DATE = 11;
/** Digits as a text. */
export const TOKEN_BIGINT = 12;
/** An element that is not there. */
export const TOKEN_HOLE = 13;
/** `u32` bytes of V8's serialiser. */
export const TOKEN_V8 = 14;
