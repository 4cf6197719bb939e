import { describeSeveralInputs } from './describe-several-inputs.ts';

describeSeveralInputs('with generated code');
