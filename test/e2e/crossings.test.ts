import { describeCrossings } from './describe-crossings.ts';

describeCrossings('in generated code', true);
