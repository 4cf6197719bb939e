/** Takes the oldest ended jobs off a list, so that not more than so many of them are left; those that run stay. */
export function forgetEnded<Id, Job>(jobs: Map<Id, Job>, isRunning: (job: Job) => boolean, mostEnded: number): void {
  const ended = [...jobs].filter(([, job]) => !isRunning(job));
  for (const [id] of ended.slice(0, Math.max(0, ended.length - mostEnded))) jobs.delete(id);
}
