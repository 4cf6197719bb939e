import { describeTableJoins } from './describe-table-joins.ts';

describeTableJoins('in generated code');
