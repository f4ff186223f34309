import { needsCrashSuite } from '../support/needs-crash-suite.js';

needsCrashSuite('soak-needs-crash', () => true);
