import type { Fingerprint } from './fingerprint.ts';

/** Where two pipelines begin to differ. */
export interface FingerprintDifference {
  /** Name of the operator; `undefined` for a setting of the environment. */
  readonly operator: string | undefined;
  /** Its place in `env.pipeline`. */
  readonly index: number | undefined;
  /** What differs: `function source`, `parallelism`, a setting's name ... */
  readonly what: string;
  /** As the first has it; `undefined`: it does not. */
  readonly left: string | undefined;
  /** As the second has it; `undefined`: it does not. */
  readonly right: string | undefined;
}

/** The first difference of two fingerprints, settings first; `undefined` when they are equal. */
export function firstDifference(left: Fingerprint, right: Fingerprint): FingerprintDifference | undefined {
  const setting = differingPart(left.config, right.config);
  if (setting !== undefined) return { operator: undefined, index: undefined, ...setting };
  for (let index = 0; index < Math.max(left.operators.length, right.operators.length); index++) {
    const one = left.operators[index];
    const two = right.operators[index];
    if (one === undefined || two === undefined) {
      return { operator: (one ?? two)!.name, index, what: 'operator', left: one?.name, right: two?.name };
    }
    const part = differingPart(one.parts, two.parts);
    if (part !== undefined) return { operator: one.name, index, ...part };
  }
  return undefined;
}

/** The difference as one sentence that says what main thread and worker have. */
export function describeDifference({ operator, what, left, right }: FingerprintDifference): string {
  const where = operator === undefined ? `the setting '${what}'` : `the ${what} of operator '${operator}'`;
  if (what === 'operator') {
    const [has, lacks] = left === undefined ? ['a worker thread', 'the main thread'] : ['the main thread', 'a worker thread'];
    return `${has} built an operator '${operator}' that ${lacks} did not`;
  }
  return `${where} is ${excerpt(left, right)} in the main thread and ${excerpt(right, left)} in a worker thread`;
}

type Parts = Readonly<Record<string, string>>;

function differingPart(left: Parts, right: Parts): Pick<FingerprintDifference, 'what' | 'left' | 'right'> | undefined {
  const what = [...new Set([...Object.keys(left), ...Object.keys(right)])].find((name) => left[name] !== right[name]);
  return what === undefined ? undefined : { what, left: left[what], right: right[what] };
}

const MOST_CHARACTERS = 120;
/** What is shown of the equal part in front of a difference. */
const CONTEXT_CHARACTERS = 40;

/** A text, or of a long one the part around the place where it differs from the other. */
function excerpt(text: string | undefined, other = ''): string {
  if (text === undefined) return 'not there';
  if (text.length <= MOST_CHARACTERS) return text;
  let equal = 0;
  while (equal < text.length && text[equal] === other[equal]) equal++;
  const start = Math.max(0, Math.min(equal - CONTEXT_CHARACTERS, text.length - MOST_CHARACTERS));
  const end = start + MOST_CHARACTERS;
  return `${start > 0 ? '...' : ''}${text.slice(start, end)}${end < text.length ? '...' : ''}`;
}
