const OPEN = 0;
const ENTERED = 1;
const CLOSED = 2;

/**
 * Whether a worker that was started late still has a part in its job. The worker enters before it opens a function of the
 * user, the job closes when it has ended; whoever is first decides, so that nothing is opened that would not be closed.
 */
export type Admission = Int32Array<SharedArrayBuffer>;

/** An admission that nobody has used yet. */
export function openAdmission(): Admission {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** For the worker: whether it may open its functions. */
export function enter(admission: Admission): boolean {
  return Atomics.compareExchange(admission, 0, OPEN, ENTERED) === OPEN;
}

/** For the job: whether the worker has opened nothing and never will. */
export function shutOut(admission: Admission): boolean {
  return Atomics.compareExchange(admission, 0, OPEN, CLOSED) === OPEN;
}

/** For the job: whether the worker has come to the functions of its job. */
export function hasEntered(admission: Admission): boolean {
  return Atomics.load(admission, 0) === ENTERED;
}
