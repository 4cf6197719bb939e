/** Names one random graph: that of a seed, after edits. The order of edits does not matter: what goes is gone before the rest is changed. */
export interface GraphName {
  readonly seed: number;
  /** Steps that are left out; whoever takes their rows takes those of their first input. Ascending. */
  readonly drop: readonly number[];
  /** Steps without a policy, promises, a set parallelism and a class. Ascending. */
  readonly plain: readonly number[];
  /** Sources with fewer rows, by ascending step. */
  readonly rows: readonly { readonly step: number; readonly count: number }[];
}

const FORM = 'write a seed, as in 17, or a seed and edits, as in 17:drop=3,6-9:plain=5:rows=2@0 (without steps 3 and 6 to 9, step 5 plain, 2 rows at source 0)';
/** More steps than a random graph has. */
const MAX_STEPS = 1_000;

/** The seed itself. */
export function graphOfSeed(seed: number): GraphName {
  return { seed, drop: [], plain: [], rows: [] };
}

/**
 * Reads the text of a name, such as `17` or `17:drop=3,6-9:plain=5:rows=2@0`: no shell takes any of it for something else.
 *
 * @throws when the text names no graph.
 */
export function parseGraphName(text: string): GraphName {
  const [seed = '', ...edits] = text.split(':');
  const refuse = (what: string): never => {
    throw new Error(`'${text}' names no random graph: ${what}; ${FORM}`);
  };
  if (!/^-?\d+$/.test(seed) || !Number.isSafeInteger(Number(seed))) refuse(`'${seed}' is no seed`);
  const read = new Map<string, readonly (readonly [step: number, count: number])[]>();
  for (const edit of edits) {
    const [, kind = '', list = ''] = /^(drop|plain|rows)=([\d,@-]+)$/.exec(edit) ?? refuse(`'${edit}' is no edit`);
    if (read.has(kind)) refuse(`'${kind}' is there twice`);
    const form = kind === 'rows' ? /^(\d+)@(\d+)$/ : /^()(\d+)(?:-(\d+))?$/;
    const entries = list.split(',').flatMap((entry) => {
      const [, count, first, last = first] = form.exec(entry) ?? refuse(`'${entry}' is nothing to ${kind}`);
      const steps = Number(last) - Number(first) + 1;
      if (steps < 1 || Number(last) > MAX_STEPS) refuse(`'${entry}' is nothing to ${kind}`);
      return Array.from({ length: steps }, (_, n) => [Number(first) + n, Number(count)] as const);
    });
    if (new Set(entries.map(([step]) => step)).size < entries.length) refuse(`'${edit}' names a step twice`);
    read.set(kind, entries.toSorted(([one], [two]) => one - two));
  }
  const steps = (kind: string): number[] => (read.get(kind) ?? []).map(([step]) => step);
  // Adding 0 makes a 0 of -0.
  return { seed: Number(seed) + 0, drop: steps('drop'), plain: steps('plain'), rows: (read.get('rows') ?? []).map(([step, count]) => ({ step, count })) };
}

/** The text that `parseGraphName` reads. */
export function formatGraphName({ seed, drop, plain, rows }: GraphName): string {
  const edits = { drop: formatSteps(drop), plain: formatSteps(plain), rows: rows.map(({ step, count }) => `${count}@${step}`).join() };
  return [`${seed}`, ...Object.entries(edits).flatMap(([kind, list]) => (list === '' ? [] : [`${kind}=${list}`]))].join(':');
}

/** Three or more in a row as a range. */
function formatSteps(steps: readonly number[]): string {
  const runs: number[][] = [];
  for (const step of steps) {
    const run = runs.at(-1);
    if (run?.at(-1) === step - 1) run.push(step);
    else runs.push([step]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join())).join();
}

/** What the operators of a graph are called in a job: the prefix, then the number of their step. Graphs of one job have different seeds. */
export function operatorPrefix(graph: string): string {
  return `${parseGraphName(graph).seed}.`;
}
