import { describeRandomGraphs } from './random/describe-random-graphs.ts';

describeRandomGraphs('fused');
