/** What this package gives: a function class, and a part of a pipeline made of operators. */
export { pageTimes, type PageTime } from './page-times.ts';
export { ParseVisit, type Visit } from './parse-visit.ts';
