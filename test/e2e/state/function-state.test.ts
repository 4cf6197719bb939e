import { describeFunctionState } from './describe-function-state.ts';

describeFunctionState('with generated code');
