import { SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import type { SavedState } from './saved-state.ts';
import { settledState } from './settled-state.ts';

/** States that say nothing of a version have this one. */
export const FIRST_STATE_VERSION = 1;

/** Which form the values of a declared state have, and how older ones get it. */
export interface StateVersion {
  readonly version: number;
  /** The option of the declaration. */
  readonly migrate: ((old: unknown, fromVersion: number) => unknown) | undefined;
}

/** Whose state it is, for messages. */
export interface MigratedOwner {
  readonly operator: string;
  /** Nothing for a state without keys. */
  readonly key: { readonly value: unknown } | undefined;
}

/**
 * What was saved of a state for one key, with values of the declared version.
 *
 * @throws SageError SAGE_STATE_DECLARATION when it was saved by a newer version, or by an older one and there is no `migrate`, and when `migrate` throws
 * or gives a promise, with the key.
 */
export function migratedState(saved: SavedState, { version, migrate }: StateVersion, owner: MigratedOwner): SavedState {
  const [name, type, hasTtl, values, savedVersion = FIRST_STATE_VERSION] = saved;
  if (savedVersion === version) return saved;
  if (savedVersion > version || migrate === undefined) throw wrongVersion(name, owner.operator, savedVersion, version);
  const migrateOne = (old: unknown): unknown => {
    try {
      return settledState(migrate(old, savedVersion), `migrate of the state '${name}'`);
    } catch (error) {
      throw failedMigration(error, name, savedVersion, version, owner);
    }
  };
  return [name, type, hasTtl, migratedValues(type, hasTtl, values, migrateOne), version];
}

/** Values are what the user has put in: elements of a list, values of a map, and else the one value or accumulator. */
function migratedValues(type: string, hasTtl: boolean, saved: unknown, migrate: (old: unknown) => unknown): unknown {
  switch (type) {
    case 'list': {
      if (!hasTtl) return (saved as unknown[]).map((element) => migrate(element));
      const [elements, untilMs] = saved as [unknown[], number[]];
      return [elements.map((element) => migrate(element)), untilMs];
    }
    case 'map': {
      const width = hasTtl ? 3 : 2;
      return (saved as unknown[]).map((part, n) => (n % width === 1 ? migrate(part) : part));
    }
    default: {
      if (!hasTtl) return migrate(saved);
      const [value, untilMs] = saved as [unknown, number];
      const migrated = migrate(value);
      return migrated === undefined ? undefined : [migrated, untilMs];
    }
  }
}

function wrongVersion(name: string, operator: string, saved: number, declared: number): SageError {
  const isNewer = saved > declared;
  return new SageError(
    'SAGE_STATE_DECLARATION',
    `the state '${name}' of '${operator}' has version ${declared}, and in the checkpoint that the job goes on from it has version ${saved}${isNewer ? ', which is newer' : ': it has no migrate'}`,
    {
      operator,
      help: isNewer
        ? `Run the program that declares version ${saved}, or one that is newer; or start from a checkpoint that was written before.`
        : `Add migrate: (old, fromVersion) => ..., which makes of a value of version ${saved} one of version ${declared}; or give the new state another name.`,
      context: { state: name, savedVersion: saved, declaredVersion: declared },
    },
  );
}

function failedMigration(error: unknown, name: string, from: number, to: number, { operator, key }: MigratedOwner): SageError {
  const where = key === undefined ? '' : ` for the key ${describeValue(key.value)}`;
  const message = `migrate of the state '${name}' of '${operator}' failed${where}, from version ${from} to ${to}: ${error instanceof Error ? error.message : String(error)}`;
  return new SageError('SAGE_STATE_DECLARATION', message, {
    operator,
    cause: error,
    help: 'Mend migrate, and start from the same checkpoint again: nothing of it has changed.',
    context: { state: name, savedVersion: from, declaredVersion: to },
  });
}
