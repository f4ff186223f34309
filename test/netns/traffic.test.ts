import { describeTraffic } from './traffic-suite.js';

// All that a mode does with one family it does with both; single families in the other modes are in test/soak.
for (const overlap of [false, true]) {
  describeTraffic(overlap, [
    ['p2p', 'ipv4'],
    ['p2p', 'ipv6'],
    ['p2p', 'all'],
    ['gateway', 'all'],
    ['gateway/p2p', 'all'],
  ]);
}
