import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { desiredState } from '../../../../src/clusterlink/agent/desired.js';
import { EMPTY_STATE } from '../../../../src/clusterlink/agent/state.js';
import { desiredSysctls, diffSysctls, systemSysctls } from '../../../../src/clusterlink/agent/sysctl.js';
import { spec, underlay } from './specs.js';

const { state } = desiredState(spec, spec.routes ?? [], underlay);
const nothing = (): undefined => undefined;

function settings(read: (key: string) => string | undefined): readonly string[] {
  return desiredSysctls(state, read).map(({ key, value, own }) => `${key}=${value}${own ? ' own' : ''}`);
}

describe('desiredSysctls', () => {
  it('forwards in the families that are used, and checks sources loosely on our devices only', () => {
    expect(settings(nothing)).to.deep.equal([
      'net/ipv4/ip_forward=1',
      'net/ipv6/conf/all/forwarding=1',
      'net/ipv4/conf/vx-bridge/rp_filter=2 own',
      'net/ipv4/conf/vx-bridge/promote_secondaries=1 own',
      'net/ipv4/conf/vx-bridge-6/rp_filter=2 own',
      'net/ipv4/conf/vx-bridge-6/promote_secondaries=1 own',
    ]);
  });

  it('keeps a node listening to routers, before it begins to forward', () => {
    const accepting = settings((key) => (key === 'net/ipv6/conf/eth0/accept_ra' ? '1' : undefined));
    expect(accepting.slice(1, 3)).to.deep.equal(['net/ipv6/conf/eth0/accept_ra=2', 'net/ipv6/conf/all/forwarding=1']);
    expect(settings(() => '0')).to.not.include('net/ipv6/conf/eth0/accept_ra=2');
  });

  it('is nothing for a network that is empty', () => {
    expect(desiredSysctls(EMPTY_STATE, nothing)).to.deep.equal([]);
  });
});

describe('diffSysctls', () => {
  it('finds what differs, and leaves out what does not exist', () => {
    const wanted = ['a', 'b', 'c'].map((key) => ({ key, value: '1', own: false }));
    const values: Record<string, string> = { a: '0', b: '1' };
    expect(diffSysctls(wanted, (key) => values[key])).to.deep.equal([{ sysctl: wanted[0], present: '0' }]);
  });
});

describe('systemSysctls', () => {
  it('reads settings of the machine', () => {
    expect(systemSysctls('/proc/sys').read('net/ipv4/ip_forward')).to.match(/^[01]$/);
    expect(systemSysctls('/proc/sys').read('net/ipv4/conf/none/rp_filter')).to.equal(undefined);
  });

  it('are elsewhere in a container', () => {
    const root = mkdtempSync(join(tmpdir(), 'sysctl-'));
    try {
      mkdirSync(join(root, 'net/ipv4'), { recursive: true });
      writeFileSync(join(root, 'net/ipv4/ip_forward'), '0\n');
      const files = systemSysctls(root);
      files.write('net/ipv4/ip_forward', '1');
      expect(files.read('net/ipv4/ip_forward')).to.equal('1');
      expect(files.read('net/ipv6/conf/all/forwarding')).to.equal(undefined);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
