/**
 * Which task of an isolate is in a call of user code, for whoever looks from another thread while that call does not come back. It is
 * written once for each step of a task, not for each record.
 */
export type AtWork = Int32Array<SharedArrayBuffer>;

/** Nothing is at work yet. */
export function openAtWork(): AtWork {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** A call into the task begins, from which user code may not come back; nothing is noted where nobody looks. */
export function beginWork(atWork: AtWork | undefined, task: number): void {
  if (atWork !== undefined) Atomics.store(atWork, 0, task + 1);
}

/** The call has come back. */
export function endWork(atWork: AtWork | undefined): void {
  if (atWork !== undefined) Atomics.store(atWork, 0, 0);
}

/** The task that is in a call; nothing when code runs that no task has called, such as what follows an await, or a timer. */
export function taskAtWork(atWork: AtWork): number | undefined {
  const task = Atomics.load(atWork, 0) - 1;
  return task < 0 ? undefined : task;
}
