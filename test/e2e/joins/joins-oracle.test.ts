import { describeJoins } from './describe-joins.ts';

describeJoins('in generated code');
