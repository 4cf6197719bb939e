import { type GraphName, formatGraphName, parseGraphName } from './graph-name.ts';
import { brokenRule, fewestInputs } from './graph-rules.ts';
import { type Step, isBeside, openStreams, randomGraph } from './graph.ts';

/**
 * The steps of the graph that a text names. They keep the numbers that they have in the graph of the seed.
 *
 * @throws when the text names no graph, an edit is of no step, or what is left breaks a rule of random graphs.
 */
export function graphOf(text: string): Step[] {
  const steps = editGraph(parseGraphName(text));
  const broken = brokenRule(steps);
  if (broken !== undefined) throw new Error(`the edits of '${text}' leave no graph that can run: ${broken}`);
  return steps;
}

/** Does the edits, whether or not what is left can run: see `brokenRule`. */
export function editGraph(name: GraphName): Step[] {
  const original = randomGraph(name.seed);
  const left = withoutSteps(original, name);
  const edited = new Map(left.map((step) => [step.id, step]));
  const stepToEdit = (id: number, edit: string): Step => {
    const step = edited.get(id);
    if (step === undefined) throw new Error(`'${formatGraphName(name)}': there is no step ${id} to ${edit}`);
    return step;
  };
  for (const id of name.plain) edited.set(id, plainStep(stepToEdit(id, 'make plain')));
  for (const { step: id, count } of name.rows) {
    const step = stepToEdit(id, 'take rows from');
    if (step.call.kind !== 'source' || count > step.call.rows) throw new Error(`'${formatGraphName(name)}': step ${id} is no source of ${count} rows or more`);
    edited.set(id, { ...step, call: { ...step.call, rows: count } });
  }
  const steps = [...edited.values()];
  const sinks = openStreams(steps).map(({ id }, n): Step => ({ id: original.length + n, call: { kind: 'sink' }, salt: 0, inputs: [id], parallelism: undefined, policy: undefined }));
  return [...steps, ...sinks];
}

/** The step with as little to it as its call allows. */
export function plainStep(step: Step): Step {
  return { ...step, call: plainCall(step.call), parallelism: undefined, policy: undefined };
}

function plainCall(call: Step['call']): Step['call'] {
  switch (call.kind) {
    case 'source':
      return { ...call, form: 'collection' };
    case 'flatMap':
      return { ...call, async: 'never', form: 'list' };
    case 'mapAsync':
      return { ...call, async: 'never', isClass: false, repeats: false };
    case 'window':
      return { ...call, latenessMs: 0, tagsLate: false };
    default:
      return { ...call, ...('async' in call ? { async: 'never' } : {}), ...('isClass' in call ? { isClass: false } : {}) };
  }
}

function withoutSteps(original: readonly Step[], name: GraphName): Step[] {
  const drop = new Set(name.drop);
  const last = name.drop.at(-1);
  if (last !== undefined && last >= original.length) throw new Error(`'${formatGraphName(name)}': there is no step ${last} to drop`);
  const left: Step[] = [];
  /** By step: whose rows those take who took its own. */
  const instead = new Map<number, number>();
  for (const step of original) {
    const inputs = step.inputs.flatMap((id) => instead.get(id) ?? []);
    const lostOwner = isBeside(step) && inputs[0] !== step.inputs[0];
    const lostInputs = inputs.length < fewestInputs(step.call.kind);
    if (drop.has(step.id) || lostOwner || lostInputs) {
      if (inputs[0] !== undefined) instead.set(step.id, inputs[0]);
    } else {
      instead.set(step.id, step.id);
      left.push({ ...step, inputs });
    }
  }
  return left;
}
