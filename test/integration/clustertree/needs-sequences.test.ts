import { needsSequencesSuite } from '../../support/needs-sequences-suite.js';

needsSequencesSuite({ instance: 'it-sequences', sequences: 200, steps: 8, crashes: 2 });
