/** A program that forgets to submit. */
import { LocalEnvironment } from '../../../../ts/index.ts';

const env = new LocalEnvironment('unsubmitted');
env.fromCollection([1, 2, 3]).print();
