import { isTolerant } from '../../transformations/error-policy.ts';
import { type StageNode, failingOperator } from '../physical-plan.ts';

/**
 * Marks where the linked form takes over in the middle of a call: it works on the stage's state itself, of which this call
 * holds a part in locals. The marks are replaced when all locals are known.
 */
const SAVE_STATE = '/* save state */';
const LOAD_STATE = '/* load state */';

/** Where in the tree of operators the code at hand is. */
export interface Scope {
  /** Expression of the key here, if there is one. */
  readonly key: string | undefined;
  /** Expression of the event time here, if there is one. */
  readonly time: string | undefined;
  /** What still has to be done for this row after the code at hand, innermost last; each the text of one entry. */
  readonly pending: readonly string[];
  /** Statement that ends the work for this value and goes on with what is pending. */
  readonly leave: string;
  /** Whether the code here runs at most once for each row of the input. */
  readonly oncePerRow: boolean;
}

/** Gives the code that hands `value` to every child of `node`. */
export type EmitChildren = (node: StageNode, value: string, scope: Scope, indent: string) => string[];

interface Local {
  readonly init: string;
  /** Statement that keeps the local when the call ends; `$` stands for it. */
  readonly store: string;
  readonly isCounter: boolean;
}

/**
 * The parts of one generated function that operators contribute to beside their code: names bound outside of it, locals with
 * what becomes of them at its end, and conditions that end it after the row at hand.
 */
export class SegmentText {
  /**
   * Whether unkeyed accumulators are numbers throughout: as such they stay in registers, as values of any kind each new
   * one would be allocated.
   */
  readonly numeric: boolean;
  /** Whether numeric accumulators make a difference in this segment, and are possible. */
  numericPays = false;
  numericPossible = true;
  readonly bindings: Map<string, string> = new Map();
  readonly #locals = new Map<string, Local>();
  readonly #stops = new Set<string>();
  readonly #numericStates = new Set<string>();
  #names = 0;

  constructor(numeric: boolean) {
    this.numeric = numeric;
  }

  /** Declarations of the locals, one a line. */
  get declarations(): string[] {
    return [...this.#locals].map(([name, { init }]) => `let ${name} = ${init};`);
  }

  /** Statements that keep the locals, one a line. */
  get stores(): string[] {
    return [...this.#locals].map(([name, { store }]) => store.replaceAll('$', name));
  }

  /** Statements that end the function after the row at hand, one a line. A loop with one way out is optimised better. */
  get stops(): string[] {
    return [...this.#stops].map((condition) => `if (${condition}) end = i;`);
  }

  /** Condition under which the numeric form may run. */
  get numericCondition(): string {
    return [...this.#numericStates].map((state) => `${state}.has && typeof ${state}.value === 'number'`).join(' && ');
  }

  /** A name of a stage's binding, declared once outside the function. */
  bind(name: string, text: string): string {
    this.bindings.set(name, text);
    return name;
  }

  /** A local counter that is added to the stage's counters when the call ends. */
  counter(name: string, slot: string): string {
    this.#locals.set(name, { init: '0', store: `${slot} += $;`, isCounter: true });
    return name;
  }

  /** A local that holds a part of the stage's state during the call. */
  state(name: string, init: string, store: string): string {
    this.#locals.set(name, { init, store, isCounter: false });
    return name;
  }

  /** Ends the function after the row at hand when `condition` holds then. */
  stopWhen(condition: string): void {
    this.#stops.add(condition);
  }

  /** Notes a reduce whose accumulator has to be a number for the numeric form. */
  needsNumber(state: string): void {
    // Reached twice in a row of the input, the second time would not see what the first has kept aside.
    if (this.#numericStates.has(state)) this.numericPossible = false;
    this.#numericStates.add(state);
  }

  fresh(prefix: string): string {
    return `${prefix}$${this.#names++}`;
  }

  /** Leaves the function; the runner awaits the promise and goes on with what is pending. */
  suspend(node: StageNode, promise: string, value: string, scope: Scope): string {
    return `{ ${setTime(scope)}ctl.suspend(${node.id}, ${promise}, ${value}, ${scope.key}, [${scope.pending.join(', ')}]); return ++i; }`;
  }

  /** Goes on with the row in the linked form, when a call of it has to be awaited. */
  suspendLinked(pushed: string, scope: Scope): string {
    return `if (${pushed} !== undefined) { ctl.suspend(-1, ${pushed}, undefined, undefined, [${scope.pending.join(', ')}]); return ++i; }`;
  }

  /** Awaits a result that is a promise outside the generated code. */
  thenable(node: StageNode, result: string, value: string, scope: Scope, indent: string): string {
    return `${indent}if (typeof ${result} === 'object' && ${result} !== null && typeof ${result}.then === 'function') ${this.suspend(node, result, value, scope)}`;
  }

  /**
   * A statement that declares `result`, caught on its own: an error has the record that this operator was given. That costs
   * nothing, also where the record is never allocated: a handler that has not run yet is left to the interpreter.
   */
  guarded(node: StageNode, result: string, expression: string, value: string, scope: Scope, indent: string): string {
    return `${indent}let ${result}; try { ${result} = ${expression}; } catch (error) { ${this.caught(node, value, scope)} }`;
  }

  /** A statement that throws an error which knows its operator and record already; with a policy that decides. */
  checked(node: StageNode, statement: string, value: string, scope: Scope): string {
    if (!isTolerant(failingOperator(node).transformation.errorPolicy)) return statement;
    return `try { ${statement} } catch (error) { ${this.caught(node, value, scope)} }`;
  }

  /**
   * What becomes of a caught `error`: the job fails with it, or the linked form does what the operator's policy says, and the function ends
   * behind the row. A handler that went on inside the function would cost every record: what is in flight would have to be kept for it.
   */
  caught(node: StageNode, value: string, scope: Scope): string {
    if (!isTolerant(failingOperator(node).transformation.errorPolicy)) return `throw ctl.threw(error, ${node.id}, ${value});`;
    const pushed = this.fresh('p');
    const isDone = scope.pending.length === 0 ? `${pushed} === undefined` : 'false';
    return [
      SAVE_STATE,
      setTime(scope),
      `const ${pushed} = R.linked[${node.id}].recover(error, ${value}, ${scope.key});`,
      LOAD_STATE,
      `if (!(${isDone})) ctl.suspend(-1, ${pushed}, undefined, undefined, [${scope.pending.join(', ')}]);`,
      'return ++i;',
    ]
      .filter((part) => part !== '')
      .join(' ');
  }

  /** Encodes a row; what cannot be encoded is an error of the record. */
  append(node: StageNode, writer: string, row: string, value: string, scope: Scope, indent: string): string {
    const time = node.op.kind === 'output' && node.op.timed ? `, ${scope.key}, ${scope.time}` : undefined;
    const call = `${writer}.append(${row}${time ?? (scope.key === undefined ? '' : `, ${scope.key}`)});`;
    return `${indent}try { ${call} } catch (error) { ${this.caught(node, value, scope)} }`;
  }

  /** Encodes a row of keyed state, whose key is all that may not be possible: that is no failure of the operator, whatever its policy. */
  appendKeyed(node: StageNode, writer: string, row: string, value: string, scope: Scope, indent: string, time?: string): string {
    return `${indent}try { ${writer}.append(${row}, ${scope.key}${time === undefined ? '' : `, ${time}`}); } catch (error) { throw ctl.threw(error, ${node.id}, ${value}); }`;
  }

  /** A statement by which the linked form works on the stage's state in the middle of the call. */
  onState(statement: string, indent: string): string[] {
    return [`${indent}${SAVE_STATE}`, `${indent}${statement}`, `${indent}${LOAD_STATE}`];
  }

  /** Replaces the marks of `onState`, now that all locals are known. */
  resolve(text: string): string {
    const states = [...this.#locals].filter(([, { isCounter }]) => !isCounter);
    const save = states.map(([name, { store }]) => store.replaceAll('$', name)).join(' ');
    const load = states.map(([name, { init }]) => `${name} = ${init};`).join(' ');
    return text.replaceAll(SAVE_STATE, save).replaceAll(LOAD_STATE, load);
  }
}

/** Hands the event time of the row at hand to the linked form, where there is one. */
export function setTime({ time }: Scope): string {
  return time === undefined ? '' : `ctl.time = ${time}; `;
}

/** What is left to do for a row: its children, in the form that `resumeSuspended` goes on with. */
export function pendingChildren(nodes: readonly number[], value: string, { key, time }: Scope): string {
  return `['children', [${nodes.join(', ')}], ${value}, ${key}${time === undefined ? '' : `, ${time}`}]`;
}

/** A property name that cannot change the meaning of an object literal. */
export function propertyName(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
}
