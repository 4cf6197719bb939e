// Operators whose state goes from one attempt to the next, in the generated form.
import { describe } from 'vitest';

import { testOperators } from './operators.cases.ts';

describe('operators that go on from a checkpoint', testOperators);
