import type { PlanDescription, PlanExchange, PlanStage } from '../../transformations/plan-description.ts';

/** The physical plan as a Mermaid flowchart: a box for each stage with its operators, and the exchanges between them. */
export function planMermaid({ operators, stages, exchanges }: PlanDescription): string {
  const byId = new Map(operators.map((operator) => [operator.id, operator]));
  const lines = ['flowchart TB'];
  for (const stage of stages) {
    lines.push(`  subgraph stage${stage.id}["${escape(stageLabel(stage))}"]`);
    for (const { operator, native } of stage.operators) {
      const { kind, name, work } = byId.get(operator)!;
      const head = escape(`${kind} '${name}'${native ? ' (native)' : ''}`);
      lines.push(`    ${node(stage.id, operator)}["${work === '' ? head : `${head}<br/>${escape(work)}`}"]`);
    }
    for (const { operator, inputs } of stage.operators) for (const input of inputs) lines.push(`    ${node(stage.id, input)} --> ${node(stage.id, operator)}`);
    lines.push('  end');
  }
  for (const exchange of exchanges) {
    const { from, to } = exchange;
    for (const operator of to.operators) lines.push(`  ${node(from.stage, from.operator)} ${exchange.feedback === null ? '==>' : '-.->'}|"${escape(exchangeLabel(exchange))}"| ${node(to.stage, operator)}`);
  }
  return lines.join('\n');
}

/** How many instances a stage has, and where. */
export function stageLabel({ id, parallelism, placement }: PlanStage): string {
  return `stage ${id}: parallelism ${placement === 'elastic' ? `1 of up to ${parallelism}` : parallelism}, ${placement}`;
}

/** How records travel through an exchange, in a few words. */
export function exchangeLabel({ partition, keyed, encoding, feedback }: PlanExchange): string {
  return [feedback === null ? '' : 'feedback', partition, keyed ? 'with key' : '', encoding === 'json' ? 'as JSON' : ''].filter((part) => part !== '').join(', ');
}

/** An operator may run in several stages. */
function node(stage: number, operator: number): string {
  return `s${stage}o${operator}`;
}

/** Mermaid reads `#...;` as a character; markup and the ends of texts are among what must be written so. */
function escape(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} '.,:()/=!?_-]/gu, (character) => `#${character.codePointAt(0)};`);
}
