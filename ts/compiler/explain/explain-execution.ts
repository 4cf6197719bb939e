import { counted } from '../../common/counted.ts';
import type { ExecutionGraph, Task } from '../execution-graph.ts';

/** The execution graph as text: tasks with their isolates, then the physical edges of each exchange. */
export function explainExecution(graph: ExecutionGraph): string {
  const exchanges = Map.groupBy(graph.edges, (edge) => edge.exchange);
  const edges = [...exchanges].map(([exchange, [first, ...others]]) => {
    const { partition, maxRows, maxBytes, feedback } = first!;
    const pairs = [first!, ...others].map((edge) => `${edge.fromTask}->${edge.toTask}`);
    const holds = feedback === undefined ? `${maxRows} rows and ${maxBytes} bytes in each queue` : `feedback, ${feedback.memoryBytes} bytes in memory and ${feedback.spillBytes} on disk in all queues`;
    return `  exchange ${exchange}, ${partition}, ${holds}: ${pairs.join(' ')}`;
  });
  const tasks = graph.tasks.map(
    (task) => `  task ${task.id}: stage ${task.stage}, instance ${task.instance + 1} of ${task.parallelism}, ${where(task)}`,
  );
  return [`Execution graph: ${counted(graph.tasks.length, 'task')}, ${counted(graph.edges.length, 'queue')}`, ...tasks, ...edges].join('\n');
}

function where({ isolate, dormant }: Task): string {
  if (isolate < 0) return 'native thread';
  return isolate === 0 ? 'main isolate' : `worker ${isolate}${dormant ? ', dormant' : ''}`;
}
