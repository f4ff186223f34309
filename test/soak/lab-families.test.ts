import { describeFullLab } from '../support/full-lab-suite.js';

for (const family of ['ipv4', 'ipv6'] as const) describeFullLab(family);
