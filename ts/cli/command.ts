import type { ExitCode } from './exit-code.ts';

/** An option that is there or not. */
export interface Flag {
  readonly kind: 'flag';
  readonly short?: string;
  readonly description: string;
}

/** An option with a value. */
export interface ValueOption<T> {
  readonly kind: 'value';
  readonly short?: string;
  /** What stands for the value in help texts: `name` is shown as `<name>`. */
  readonly placeholder: string;
  readonly description: string;
  /** The only texts that are right; the parser refuses all others. */
  readonly choices?: readonly string[];
  /** The value when the option is left away. */
  readonly otherwise: T;
  /** @throws UsageError that says what to write instead. */
  readonly parse: (text: string) => T;
}

/** An option of whichever kind. */
export type Option = Flag | ValueOption<unknown>;

/** The kind of option that gives such a value. */
export type OptionFor<T> = [T] extends [boolean] ? Flag : ValueOption<T>;

/** An argument that is no option. */
export interface Operand {
  readonly name: string;
  readonly description: string;
  /** What a shell offers for it: files that Node runs, any files, folders, or these words. */
  readonly completes: 'program' | 'any' | 'folder' | readonly string[];
  /** What to write when it is missing, as a whole sentence; optional operands have none. */
  readonly missing?: string;
}

/** What was typed for a command, read and checked. */
export interface CommandInput<V extends object> {
  readonly values: V;
  readonly operands: readonly string[];
  /** What stands behind `--`: the arguments of the user's program. */
  readonly programArgs: readonly string[];
}

/**
 * A command. Parsing, `--help`, completion and docs/command-line.md are all made of this, so that none of them can say
 * something else than the others.
 */
export interface Command<V extends object> {
  readonly name: string;
  /** A few words, for the list of commands. */
  readonly summary: string;
  /** Paragraphs, for people. */
  readonly description: readonly string[];
  readonly operands: readonly Operand[];
  /** Whether it runs a program that may have arguments of its own, behind `--`. */
  readonly takesProgramArgs: boolean;
  readonly options: { readonly [K in keyof V]: OptionFor<V[K]> };
  /** What its exit codes mean, in the order of the codes. */
  readonly exitCodes: readonly (readonly [ExitCode, string])[];
  /** Lines that can be typed as they are where the files of docs/command-line.md lie. */
  readonly examples: readonly string[];
  /** Looks at what only makes sense together. @throws UsageError */
  check?(input: CommandInput<V>): void;
  /** `commands` are all that there are, for the one that tells shells of them. */
  run(input: CommandInput<V>, commands: readonly AnyCommand[]): Promise<void>;
}

/** A command whose options only it knows. */
export interface AnyCommand extends Omit<Command<object>, 'options'> {
  readonly options: Readonly<Record<string, Option>>;
}
