import { describeFeedback } from './describe-feedback.ts';

describeFeedback('in generated code');
