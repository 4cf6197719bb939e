import { toSageError } from '../../common/errors.ts';
import { loadCore } from '../../runtime/native/load-core.ts';
import { UsageError } from '../usage-error.ts';

/** What one instance of an operator has handed over, as `EpochListing` of `sage-checkpoint` says it. */
export interface ListedPart {
  readonly operator: string;
  readonly instance: number;
  readonly parallelism: number;
  readonly name: string;
  readonly kind: 'own' | 'keyed';
  /** Whether it stands alone; else bytes and entries are those of the changes. */
  readonly isFull: boolean;
  readonly bytes: number;
  /** Of keyed parts. */
  readonly entries: number | null;
}

/** `CheckpointMetadata` of `sage-runtime`, as far as it is shown. */
export interface SavedMetadata {
  readonly job?: string;
  readonly keyGroups?: number;
  readonly last?: boolean;
  readonly operators?: Readonly<Record<string, { readonly parallelism: number; readonly finished: readonly number[] }>>;
}

/** What is in a savepoint or checkpoint of which every byte was found to be what was written. */
export interface SavepointListing {
  readonly formatVersion: number;
  readonly epoch: number;
  readonly metadata: SavedMetadata | null;
  /** The newest first; more than one when it holds changes. */
  readonly files: readonly { readonly path: string; readonly epoch: number; readonly bytes: number }[];
  readonly parts: readonly ListedPart[];
  /** Newer checkpoints of the directory that are damaged. */
  readonly skipped: readonly string[];
}

/**
 * Reads and checks a savepoint, or the newest checkpoint of a directory.
 *
 * @throws UsageError when there is none; SageError SAGE_CHECKPOINT_DAMAGED with file and part, SAGE_CHECKPOINT_VERSION, SAGE_IO_*.
 */
export function readSavepoint(path: string): SavepointListing {
  try {
    return JSON.parse(loadCore().checkpointInspect(path)) as SavepointListing;
  } catch (error) {
    const known = toSageError(error);
    if (known.code === 'SAGE_IO_NOT_FOUND') throw new UsageError(`There is no savepoint or checkpoint at ${path}. ${known.message}`);
    throw known;
  }
}
