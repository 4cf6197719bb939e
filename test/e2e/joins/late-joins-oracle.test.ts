import { describeLateJoins } from './describe-late-joins.ts';

describeLateJoins('in generated code');
