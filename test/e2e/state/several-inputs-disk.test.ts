import { ALWAYS_ON_DISK, stateOfTests } from './state-environment.ts';

stateOfTests.settings = ALWAYS_ON_DISK;
const { describeSeveralInputs } = await import('./describe-several-inputs.ts');

describeSeveralInputs('with state on disk');
