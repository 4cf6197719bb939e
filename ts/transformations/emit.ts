/**
 * When an aggregate without a window emits: once at the end of bounded input, the running value for each record, or the
 * keys that changed every so many milliseconds.
 */
export type Emit = 'final' | 'update' | { readonly everyMs: number };
