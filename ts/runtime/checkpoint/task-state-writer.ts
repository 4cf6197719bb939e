import { SageError } from '../../common/errors.ts';
import { GrowableBytes } from '../codec/growable-bytes.ts';
import type { Core } from '../native/core.ts';
import { EntryWriter } from './entry-writer.ts';
import type { StatePart } from './state-part.ts';

const KIND_OWN = 1;
const KIND_KEYED = 2;

/** Makes the image that a task hands over at a barrier, of all of its parts. Kept over epochs, so that its memory is. */
export class TaskStateWriter {
  readonly #core: Pick<Core, 'stateSave' | 'stateSaveChanges' | 'keyGroupsFill'>;
  readonly #out = new GrowableBytes();
  readonly #entries: EntryWriter;

  constructor(core: Pick<Core, 'stateSave' | 'stateSaveChanges' | 'keyGroupsFill'>, keyGroups: number) {
    this.#core = core;
    this.#entries = new EntryWriter((entries) => core.keyGroupsFill(keyGroups, entries));
  }

  /** Valid until the next call. @param onTop whether what was written last is in the epoch that this one is on top of, so that changes will do */
  write(parts: readonly StatePart[], onTop = false): Uint8Array {
    const out = this.#out;
    out.length = 0;
    out.u32(parts.length);
    const names = new Set<string>();
    for (const part of parts) {
      const { operator, name } = part;
      const full = `${operator}\n${name}`;
      if (names.has(full)) throw new SageError('SAGE_INTERNAL', `the operator '${operator}' has the part '${name}' twice in one task`);
      names.add(full);
      writeText(out, operator);
      writeText(out, name);
      out.u8(part.kind === 'own' ? KIND_OWN : KIND_KEYED);
      const changes = onTop ? this.#changes(part) : undefined;
      out.u8(changes === undefined ? 1 : 0);
      const payload = changes ?? this.#save(part);
      out.u32(payload.length);
      out.bytes(payload);
    }
    return out.buffer.subarray(0, out.length);
  }

  #changes(part: StatePart): Uint8Array | undefined {
    if (part.kind === 'core') return this.#core.stateSaveChanges(part.handle) ?? undefined;
    if (part.kind !== 'keyed' || part.saveChanges === undefined) return undefined;
    this.#entries.reset();
    return part.saveChanges(this.#entries) ? this.#entries.finish() : undefined;
  }

  #save(part: StatePart): Uint8Array {
    switch (part.kind) {
      case 'own':
        return part.save();
      case 'keyed':
        this.#entries.reset();
        part.save(this.#entries);
        return this.#entries.finish();
      case 'core':
        return this.#core.stateSave(part.handle);
    }
  }
}

function writeText(out: GrowableBytes, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  out.u32(bytes.length);
  out.bytes(bytes);
}
