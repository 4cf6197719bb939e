import type { StatePlace } from '../../transformations/state-settings.ts';
import { stateDirectory } from '../native/state-directory.ts';
import { type DiskHost, DiskKeyPlaces } from './disk-key-places.ts';
import type { KeyPlaces } from './key-places.ts';
import type { StateOwner } from './keyed-state-store.ts';
import { MemoryKeyPlaces } from './memory-key-places.ts';

/** Keys and states of an operator, where the environment wants them. @throws SageError SAGE_STATE_* when the directory of state on disk cannot be made. */
export function makeKeyPlaces(place: StatePlace, operator: number, host: DiskHost, owner: Omit<StateOwner, 'watch'>): KeyPlaces {
  if (place.kind === 'memory') return new MemoryKeyPlaces(host.core, host.job, host.registry, owner, host.withoutTimers);
  const { memoryBytes, directory = stateDirectory() } = place;
  return new DiskKeyPlaces(host, { operator, memoryBytes, directory }, owner);
}
