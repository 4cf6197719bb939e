import { describeGrowingGraphs } from './random/describe-random-graphs.ts';

describeGrowingGraphs();
