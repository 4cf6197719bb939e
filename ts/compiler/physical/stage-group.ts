import type { OperatorId } from '../../common/ids.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import type { Link } from './link-operators.ts';
import { isNative } from './place-operators.ts';

/**
 * Whether a source may share its stage with others. Their task pulls them in turns, so that one that makes the task wait
 * (a promise, or nothing for now) would hold up the others.
 */
function neverWaits({ source }: LogicalOperator): boolean {
  return source?.form === 'collection' || (source?.form === 'iterable' && source.async === 'no');
}

/** Operators that will be one stage. */
export interface StageGroup {
  /** In plan order. */
  readonly operators: LogicalOperator[];
}

/** Which group each operator is in, while groups are being merged. */
export class StageGroups {
  readonly #groups = new Map<OperatorId, StageGroup>();
  readonly #outgoing = new Map<OperatorId, Link[]>();
  readonly #incoming = new Map<OperatorId, Link[]>();
  /** Place in the plan: ids alone do not say who comes first, as the optimiser adds operators in between. */
  readonly #order: ReadonlyMap<OperatorId, number>;

  /** The ways back of loops, by the operator that sends records on them. */
  readonly #feedback: ReadonlyMap<OperatorId, Link>;

  constructor(plan: LogicalPlan, links: readonly Link[], feedback: readonly Link[] = []) {
    this.#feedback = new Map(feedback.map((link) => [link.from.id, link]));
    this.#order = new Map(plan.operators.map(({ id }, index) => [id, index]));
    for (const link of links) {
      append(this.#outgoing, link.from.id, link);
      append(this.#incoming, link.to.id, link);
    }
  }

  /** Puts an operator into a group of its own. */
  add(operator: LogicalOperator): StageGroup {
    const group: StageGroup = { operators: [operator] };
    this.#groups.set(operator.id, group);
    return group;
  }

  /** Puts an operator, the last of the plan so far, into a group that all of its records come from. */
  join(operator: LogicalOperator, group: StageGroup): void {
    group.operators.push(operator);
    this.#groups.set(operator.id, group);
  }

  /** The group of an operator that was added. */
  of(operator: LogicalOperator): StageGroup {
    return this.#groups.get(operator.id)!;
  }

  /** All groups, each once, by their first operators. */
  all(): readonly StageGroup[] {
    return [...new Set(this.#groups.values())].toSorted(this.#byFirst);
  }

  /** Links into an operator, in the order of its inputs. */
  into(operator: LogicalOperator): readonly Link[] {
    return this.#incoming.get(operator.id) ?? [];
  }

  /** Links out of an operator, by consumer. */
  outOf(operator: LogicalOperator): readonly Link[] {
    return this.#outgoing.get(operator.id) ?? [];
  }

  /** The way back that begins at an operator. It may lead to the operator's own stage. */
  feedbackOf(operator: LogicalOperator): Link | undefined {
    return this.#feedback.get(operator.id);
  }

  /** Makes one group of several. */
  merge(groups: readonly StageGroup[]): void {
    const [first, ...others] = groups.toSorted(this.#byFirst);
    for (const other of others) {
      first!.operators.push(...other.operators);
      for (const operator of other.operators) this.#groups.set(operator.id, first!);
    }
    first!.operators.sort((a, b) => this.#order.get(a.id)! - this.#order.get(b.id)!);
  }

  /**
   * Whether the groups may be one stage: no exchange from the stage to itself, directly or through other stages (its end
   * would wait for itself), no gate beside a source, and none behind a loop.
   */
  canMerge(groups: readonly StageGroup[]): boolean {
    const members = new Set(groups);
    const operators = groups.flatMap((group) => group.operators);
    const incoming = operators.flatMap((operator) => this.into(operator));
    const external = new Set(incoming.map((link) => this.of(link.from)).filter((group) => !members.has(group)));
    const sources = operators.filter((operator) => operator.kind === 'source' && !isNative(operator));
    // The core gives a task either turns as a source or batches of its gates.
    const comesBack = operators.some((operator) => operator.kind === 'fromFuture');
    if (sources.length > 0 && (external.size > 0 || comesBack)) return false;
    // What else comes to a stage holds up the end of its loops: behind a loop that may be without end.
    const loops = new Set(operators.map(({ loop }) => loop));
    const isBehind = ({ to: { behindLoops } }: Link): boolean => behindLoops !== undefined && [...behindLoops].some((loop) => loops.has(loop));
    if (incoming.some((link) => !members.has(this.of(link.from)) && isBehind(link))) return false;
    if (sources.length > 1 && !sources.every(neverWaits)) return false;
    if (incoming.some((link) => link.separation !== undefined && members.has(this.of(link.from)))) return false;
    return external.size === 0 || !this.#reachesAny(groups, members, external);
  }

  readonly #byFirst = (a: StageGroup, b: StageGroup): number =>
    this.#order.get(a.operators[0]!.id)! - this.#order.get(b.operators[0]!.id)!;

  /** Whether a path that leaves `members` comes to a group of `targets`. */
  #reachesAny(groups: readonly StageGroup[], members: ReadonlySet<StageGroup>, targets: ReadonlySet<StageGroup>): boolean {
    const seen = new Set<StageGroup>(members);
    const open = [...groups];
    for (let group = open.pop(); group !== undefined; group = open.pop()) {
      for (const operator of group.operators) {
        for (const { to } of this.outOf(operator)) {
          const next = this.#groups.get(to.id);
          if (next === undefined || seen.has(next)) continue; // not yet added: nothing above it can be reached
          if (targets.has(next)) return true;
          seen.add(next);
          open.push(next);
        }
      }
    }
    return false;
  }
}

function append(map: Map<OperatorId, Link[]>, id: OperatorId, link: Link): void {
  const links = map.get(id);
  if (links === undefined) map.set(id, [link]);
  else links.push(link);
}
