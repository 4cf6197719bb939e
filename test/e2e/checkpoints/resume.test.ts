// Jobs that are ended at random moments and go on from their checkpoints, in the generated form.
import { describe } from 'vitest';

import { testResume } from './resume.cases.ts';

describe('going on from checkpoints', testResume);
