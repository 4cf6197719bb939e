import type { Stage, StageNode } from '../../compiler/physical-plan.ts';

/** How far event time is: all records before `watermark` have been given; with `isIdle` nobody is to wait for more for now. */
export interface StreamTime {
  readonly watermark: number;
  readonly isIdle: boolean;
}

/** Who is told how far event time is at its place. */
export interface TimeConsumer {
  /** Records that were given before count as before it. */
  timeChanged(time: StreamTime): void;
}

const BEGINNING: StreamTime = { watermark: Number.NEGATIVE_INFINITY, isIdle: false };
/** Where records come out of a future: nobody is to wait for it, ever. */
const UNKNOWN: StreamTime = { watermark: Number.NEGATIVE_INFINITY, isIdle: true };

function isTimeless(op: StageNode['op']): boolean {
  return op.kind === 'input' && op.timeless === true;
}

/** Whether records that leave the node have a watermark of the node's own. */
function isOrigin({ op }: StageNode): boolean {
  return op.kind === 'input' || op.kind === 'source' || op.kind === 'assignTimestamps' || op.kind === 'reduce' || op.kind === 'aggregate' || op.kind === 'process' || op.kind === 'batch' || op.kind === 'mapAsync' || op.kind === 'intervalJoin' || op.kind === 'asOfJoin' || op.kind === 'window' || op.kind === 'keyedProcess';
}

/** The node that stands for a node where times are said and told: of a function with state for several inputs, that of the first. */
function timePlace({ id, op }: StageNode): number {
  return op.kind === 'keyedProcess' ? (op.coInput?.owner ?? id) : id;
}

/** Whether all records that come to a node have an event time. */
export function comesWithTime({ nodes }: Stage, { id }: StageNode): boolean {
  const givers = nodes.filter((node) => node.children.includes(id) || node.sides.some((side) => side.node === id));
  return givers.length > 0 && givers.every(({ op, operator }) => (op.kind === 'input' ? op.timed : operator.timed));
}

/**
 * Event time within a task. It comes from *origins* (gates, sources, assigners, and operators that keep records back), and goes to
 * *consumers* below: for each the least of the watermarks of those origins that it has records from, without idle ones.
 */
export class StageTimes {
  readonly #consumers = new Map<number, TimeConsumer>();
  /** By node: the origins whose records come there. */
  readonly #arrivals: (readonly number[])[] = [];
  readonly #said: StreamTime[];
  /** By consumer: what it was told last. */
  readonly #told: StreamTime[];
  readonly #nodes: readonly StageNode[];

  constructor({ nodes }: Stage) {
    this.#nodes = nodes;
    this.#said = nodes.map(({ op }) => (isTimeless(op) ? UNKNOWN : BEGINNING));
    this.#told = nodes.map(() => BEGINNING);
    const arrivals = nodes.map(() => new Set<number>());
    for (const node of nodes) {
      const own = arrivals[node.id]!;
      const leaving = isOrigin(node) ? [timePlace(node)] : own;
      for (const child of [...node.children, ...node.sides.map((side) => side.node)]) for (const origin of leaving) arrivals[timePlace(nodes[child]!)]!.add(origin);
    }
    this.#arrivals = arrivals.map((origins) => [...origins]);
  }

  /** Has a node told how far event time is where its records come in. */
  connect(node: number, consumer: TimeConsumer): void {
    this.#consumers.set(node, consumer);
  }

  /** How far event time is where records come into a node. */
  at(node: number): StreamTime {
    return this.#told[node]!;
  }

  /** The watermark of the records that leave a node; NaN where they have no event time. */
  leaving(node: number): number {
    const place = timePlace(this.#nodes[node]!);
    const { watermark } = isOrigin(this.#nodes[node]!) ? this.#said[place]! : this.#told[place]!;
    return this.#nodes[node]!.operator.timed ? watermark : Number.NaN;
  }

  /** An origin has come so far; a watermark never goes back. */
  say(origin: number, watermark: number, isIdle = false): void {
    const before = this.#said[origin]!;
    const now = { watermark: Math.max(before.watermark, watermark), isIdle };
    if (now.watermark === before.watermark && now.isIdle === before.isIdle) return;
    this.#said[origin] = now;
    for (const { id } of this.#nodes) if (this.#arrivals[id]!.includes(origin)) this.#update(id);
  }

  /** An origin gives no records for now. */
  sayIdle(origin: number): void {
    this.say(origin, Number.NEGATIVE_INFINITY, true);
  }

  /** An origin gives records: if it was idle, it no longer is. */
  sayActive(origin: number): void {
    if (this.#said[origin]!.isIdle && !isTimeless(this.#nodes[origin]!.op)) this.say(origin, Number.NEGATIVE_INFINITY);
  }

  #update(node: number): void {
    const consumer = this.#consumers.get(node);
    const before = this.#told[node]!;
    let watermark = Number.POSITIVE_INFINITY;
    let isIdle = true;
    let mayComeBack = false;
    for (const origin of this.#arrivals[node]!) {
      const said = this.#said[origin]!;
      if (said.isIdle) {
        mayComeBack ||= !isTimeless(this.#nodes[origin]!.op);
        continue;
      }
      isIdle = false;
      watermark = Math.min(watermark, said.watermark);
    }
    // Those that have ended do not end event time for those that are idle.
    if (watermark === Number.POSITIVE_INFINITY && mayComeBack) isIdle = true;
    // While all are idle, nothing is known but what was known before.
    const now = { watermark: isIdle ? before.watermark : Math.max(before.watermark, watermark), isIdle };
    if (now.watermark === before.watermark && now.isIdle === before.isIdle) return;
    this.#told[node] = now;
    consumer?.timeChanged(now);
  }
}
