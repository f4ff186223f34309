import { isWrite } from '../../support/crash-sweep.js';
import { needsCrashSuite } from '../../support/needs-crash-suite.js';

// Reads are swept in test/soak.
needsCrashSuite('it-needs-crash', isWrite);
