import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import type { ExchangePartition, FeedbackExchange } from '../physical-plan.ts';
import { findKeyNeeds } from './key-needs.ts';
import { type Link, partitionOf, type Separation } from './link-operators.ts';
import { findPlainRecords } from './plain-records.ts';
import { runsInThreads } from './place-operators.ts';
import { findTimeNeeds } from './time-needs.ts';
import { announcedLayout } from '../schema/announced-layout.ts';
import type { LayoutNode } from '../layout/layout.ts';
import { type QueueSize, queueSize } from './queue-size.ts';
import type { StageGroup, StageGroups } from './stage-group.ts';

/** Larger batches wait longer until they are full, and leave the cache before they are read. */
const MOST_SPREAD = 4;

/** An exchange before its stages have their nodes. */
export interface PlannedExchange extends QueueSize {
  readonly id: number;
  readonly from: LogicalOperator;
  readonly fromGroup: StageGroup;
  readonly toGroup: StageGroup;
  /** Who takes the records behind it; an operator that takes them twice is listed twice. */
  readonly consumers: readonly LogicalOperator[];
  /** The ways by which they take them. */
  readonly links: readonly Link[];
  readonly partition: ExchangePartition;
  readonly reason: string;
  readonly keyed: boolean;
  readonly timed: boolean;
  readonly encoding: 'columns' | 'json';
  readonly announced: LayoutNode | undefined;
  readonly losesPrototypes: boolean;
  readonly spread: number;
  readonly feedback: FeedbackExchange | undefined;
  readonly timeless: boolean;
}

/** One stage sends records to another once, however many operators take them there. */
export function planExchanges(
  plan: LogicalPlan,
  links: readonly Link[],
  groups: StageGroups,
  order: readonly StageGroup[],
): readonly PlannedExchange[] {
  const needs = findKeyNeeds(plan, links);
  const timeNeeds = findTimeNeeds(plan, links);
  const plain = findPlainRecords(plan);
  const exchanges: PlannedExchange[] = [];
  for (const fromGroup of order) {
    for (const from of fromGroup.operators) {
      for (const sent of sentElsewhere(from, groups)) {
        const { partition, reason } = separationOf(sent[0]!, fromGroup);
        const consumers = sent.map((link) => link.to);
        const [to] = consumers as [LogicalOperator];
        const encoding = takesJson(to) && !runsInThreads(from) ? 'json' : 'columns';
        exchanges.push({
          id: exchanges.length,
          from,
          fromGroup,
          toGroup: groups.of(to),
          consumers,
          links: sent,
          partition,
          reason,
          keyed: from.keyedBy !== undefined && (partition === 'hash' || consumers.some(({ id }) => needs.has(id))),
          timed: from.timed && (from.inCore ? links.filter((link) => link.from === from).map(({ to }) => to) : consumers).some(({ id }) => timeNeeds.has(id)),
          encoding,
          announced: announcedLayout(plan, from, encoding),
          losesPrototypes: !runsInThreads(to) && !plain.has(from.id),
          feedback: feedbackOf(to, from),
          timeless: from.timeless === true || to.kind === 'fromFuture',
          spread: partition === 'hash' || partition === 'rebalance' ? Math.min(to.parallelism, MOST_SPREAD) : 1,
          ...queueSize(partition === 'forward' ? 1 : to.parallelism),
        });
      }
    }
  }
  return exchanges;
}

/** The links of an operator to other stages; those that can share an exchange together. */
function sentElsewhere(from: LogicalOperator, groups: StageGroups): readonly (readonly Link[])[] {
  const back = groups.feedbackOf(from);
  if (back !== undefined) return [[back]];
  const shared: Link[][] = [];
  for (const link of groups.outOf(from)) {
    if (groups.of(link.to) === groups.of(from)) continue;
    const other = shared.find(([first]) => groups.of(first!.to) === groups.of(link.to) && partitionOf(first!) === partitionOf(link));
    if (other === undefined) shared.push([link]);
    else other.push(link);
  }
  return shared;
}

/** Why two operators that could be in one stage are not. */
function separationOf(link: Link, from: StageGroup): Separation {
  if (link.separation !== undefined) return link.separation;
  const reads = from.operators.some((operator) => operator.kind === 'source');
  return {
    partition: partitionOf(link),
    reason: reads ? 'a stage with a source takes no other records' : 'the two are also connected through another stage',
  };
}

/** Writers that take what has no column of its own as JSON text; the general codec is for JavaScript only. */
function takesJson({ transformation }: LogicalOperator): boolean {
  if (transformation.kind !== 'sink' || transformation.sink.form !== 'native') return false;
  return transformation.sink.spec.type !== 'textLines';
}

/** The loop that an exchange closes. */
function feedbackOf({ transformation }: LogicalOperator, from: LogicalOperator): FeedbackExchange | undefined {
  if (transformation.kind !== 'fromFuture' || from.kind !== 'fillFuture') return undefined;
  return { name: transformation.name, ...transformation.limits };
}
