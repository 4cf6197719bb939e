import type { KeyedState } from './keyed-state.ts';

/**
 * What an instance keeps of broadcast records, `ctx.broadcast`: declared by name as `ctx.state` is, but there is one value of each state and
 * not one for each key. Only `executeBroadcast` can write.
 *
 * Where the operator has an error policy, what a failed attempt of `executeBroadcast` has written is undone. It is in memory, as a copy in
 * each parallel instance.
 *
 * What writes throws SageError SAGE_ENV_CONTEXT anywhere else.
 */
export type BroadcastState = KeyedState;
