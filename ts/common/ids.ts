/** A value of `Base` that only counts as an id of one kind. Costs nothing at run time. */
type Branded<Base, Brand extends string> = Base & { readonly __brand?: Brand };

/** A job, for users: a UUID. */
export type JobId = Branded<string, 'JobId'>;
/** An operator: its place in `env.pipeline`. */
export type OperatorId = Branded<number, 'OperatorId'>;
/** A stage of the physical plan. */
export type StageId = Branded<number, 'StageId'>;
/** One parallel instance of a stage. */
export type TaskId = Branded<number, 'TaskId'>;
/** A physical edge between two tasks. */
export type EdgeId = Branded<number, 'EdgeId'>;
/** A layout in a job's registry. */
export type LayoutId = Branded<number, 'LayoutId'>;
/** Where JavaScript runs: 0 is the main isolate, 1 and up are worker threads. */
export type IsolateId = Branded<number, 'IsolateId'>;
