import type { CompileOptions, PlanConfig } from '../compile-options.ts';
import type { OptimisedPlan } from '../logical-plan.ts';
import type { Exchange, PhysicalPlan } from '../physical-plan.ts';
import { statePlaceOf } from '../../transformations/state-settings.ts';
import { findEarlyEnds } from '../logical/early-ends.ts';
import { buildStage } from './build-stage.ts';
import { fuseStages } from './fuse-stages.ts';
import { jobGuarantee } from './job-guarantee.ts';
import { keepStagesApart } from './keep-stages-apart.ts';
import { linkFeedback, linkOperators } from './link-operators.ts';
import { orderStages } from './order-stages.ts';
import { placeOperators } from './place-operators.ts';
import { planExchanges } from './plan-exchanges.ts';
import { planIsolates } from './plan-isolates.ts';
import { uncommittedSinks } from './uncommitted-sinks.ts';
import { unreadDeadLetters } from './unread-dead-letters.ts';

/** Decides what runs together, where, and how records travel in between. */
export function buildPhysicalPlan(plan: OptimisedPlan, config: PlanConfig, options: CompileOptions): PhysicalPlan {
  const placements = placeOperators(plan, config, options);
  const links = linkOperators(plan, placements);
  const feedback = linkFeedback(plan);
  const groups = options.fuse === false ? keepStagesApart(plan, links, feedback) : fuseStages(plan, links, placements, feedback);
  const order = orderStages(groups);
  const planned = planExchanges(plan, links, groups, order);
  const stages = order.map((group, id) => buildStage(id, group, groups, planned, placements));
  const exchanges = planned.map((exchange): Exchange => {
    const from = stages[order.indexOf(exchange.fromGroup)]!;
    const to = stages[order.indexOf(exchange.toGroup)]!;
    const { id, partition, reason, keyed, timed, encoding, announced, losesPrototypes, maxRows, maxBytes, spread, feedback, timeless } = exchange;
    const output = from.nodes.find(({ op }) => op.kind === 'output' && op.exchange === id);
    return {
      id,
      from: { stage: from.id, node: output?.id ?? 0 },
      to: { stage: to.id, gate: to.gates.indexOf(id) },
      partition,
      reason,
      keyed,
      timed,
      encoding,
      announced,
      losesPrototypes,
      maxRows,
      maxBytes,
      spread,
      ...(feedback === undefined ? {} : { feedback }),
      ...(timeless ? { timeless } : {}),
    };
  });
  const isolates = planIsolates(stages, placements, options);
  const kept = placements.keptInMain && options.mainOnly !== true ? [`parallel instances run in the main isolate, without worker threads: ${isolates.reason}`] : [];
  const earlyEnds = findEarlyEnds(plan.operators);
  const hasState = stages.some(({ nodes }) => nodes.some(({ op }) => op.kind === 'keyedProcess'));
  const { checkpoint } = config;
  return {
    stages,
    exchanges,
    isolates,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    guarantee: jobGuarantee(plan.operators, config),
    earlyEnds,
    state: hasState ? statePlaceOf(config) : undefined,
    warnings: [...plan.warnings, ...unreadDeadLetters(plan), ...uncommittedSinks(plan, config), ...kept],
  };
}
