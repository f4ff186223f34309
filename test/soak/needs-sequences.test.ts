import { needsSequencesSuite } from '../support/needs-sequences-suite.js';

needsSequencesSuite({ instance: 'soak-sequences', sequences: 400, steps: 40, crashes: 8 });
