import { describeTraffic } from '../netns/traffic-suite.js';

for (const overlap of [false, true]) {
  describeTraffic(overlap, [
    ['gateway', 'ipv4'],
    ['gateway', 'ipv6'],
    ['gateway/p2p', 'ipv4'],
    ['gateway/p2p', 'ipv6'],
  ]);
}
