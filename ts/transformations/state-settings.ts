/** Settings of state on disk. */
export interface DiskStateSettings {
  /** Where state is: on disk, with what is in use in memory. */
  readonly kind: 'disk';
  /**
   * About how many bytes of memory keys and their values may take in each instance of an operator; 64 MiB when left away. What is over it, and was
   * not used for longest, is on disk only. Tables of the store and buffers come on top, some 100 MiB for the whole job.
   */
  readonly memoryBytes?: number;
  /** In which directory the job makes one of its own; `SAGE_STATE_DIR` says it when left away. It has to be on a local disk. */
  readonly directory?: string;
}

/** Where `ctx.state` is kept: in memory, or on disk with what is in use in memory. */
export type StateSettings = 'memory' | 'disk' | DiskStateSettings;

/** How much memory an instance may take for its states on disk, when nothing else is said. */
export const DEFAULT_STATE_MEMORY_BYTES: number = 64 * 2 ** 20;

/** `state` of a config that was checked, with what it leaves open. */
export type StatePlace = { readonly kind: 'memory' } | { readonly kind: 'disk'; readonly memoryBytes: number; readonly directory: string | undefined };

/** Where the states of a job are. */
export function statePlaceOf({ state = 'memory' }: { readonly state?: unknown }): StatePlace {
  const settings = state as StateSettings;
  if (settings === 'memory') return { kind: 'memory' };
  const { memoryBytes = DEFAULT_STATE_MEMORY_BYTES, directory } = settings === 'disk' ? ({ kind: 'disk' } satisfies DiskStateSettings as DiskStateSettings) : settings;
  return { kind: 'disk', memoryBytes, directory };
}
