import { expect } from 'chai';
import { type Change, NetworkMonitor } from '../../../../src/clusterlink/agent/monitor.js';
import { NETLINK_NETFILTER, NETLINK_ROUTE, RTM } from '../../../../src/clusterlink/agent/netlink/constants.js';
import type { Interest } from '../../../../src/clusterlink/agent/relevance.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeLibc, netlinkMessage, written } from '../../../support/fake-netlink.js';

/** A notice about a device; the head tells only its number. */
function linkNotice(name: string): Buffer {
  const body = written((writer) => {
    for (let word = 0; word < 4; word++) writer.u32(0);
    writer.textAttribute(3, name);
  });
  return netlinkMessage(RTM.NEWLINK, 0, 0, body);
}

/** A notice of nftables about a table (kind 0 of subsystem 10), or the end of a transaction. */
function tableNotice(name: string, kind = 0): Buffer {
  const body = written((writer) => {
    writer.u32(1);
    writer.textAttribute(1, name);
  });
  return netlinkMessage((10 << 8) | kind, 0, 0, body);
}

describe('NetworkMonitor', () => {
  let libc: FakeLibc;
  let clock: FakeClock;
  let changes: Change[];
  let interest: Interest;
  let abort: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    libc = new FakeLibc();
    clock = new FakeClock();
    changes = [];
    interest = { names: new Set(['vx-bridge', 'eth0']), indexes: new Set([2, 10]), protocol: 98 };
    abort = new AbortController();
    const onChange = (change: Change): unknown => changes.push(change);
    running = new NetworkMonitor({ libc, clock, interest: () => interest, onChange }).run(abort.signal);
    running.catch(() => undefined);
    await clock.advance(0);
  });

  afterEach(async () => {
    abort.abort();
    await running.catch(() => undefined);
  });

  it('listens to devices, addresses, routes, rules, neighbours and tables', () => {
    const [routes, tables] = [...libc.bound.values()];
    expect(routes).to.deep.equal({
      protocol: NETLINK_ROUTE,
      groups: [0, 2, 4, 6, 7, 8, 10, 18].reduce((bits, bit) => bits | (1 << bit), 0),
    });
    expect(tables).to.deep.equal({ protocol: NETLINK_NETFILTER, groups: 1 << 6 });
  });

  it('is silent while nothing happens', async () => {
    await clock.advance(10_000);
    expect(changes).to.deep.equal([]);
  });

  it('tells once of many notices that count', async () => {
    libc.notify(NETLINK_ROUTE, linkNotice('vx-bridge'), Buffer.concat([linkNotice('eth0'), linkNotice('veth1')]));
    await clock.advance(100);
    expect(changes).to.deep.equal(['network']);
    await clock.advance(1_000);
    expect(changes).to.deep.equal(['network']);
  });

  it('finds the one that counts among many', async () => {
    libc.notify(NETLINK_ROUTE, linkNotice('veth1'), Buffer.concat([linkNotice('veth2'), linkNotice('vx-bridge')]));
    await clock.advance(100);
    expect(changes).to.deep.equal(['network']);
  });

  it('has no interest in the devices of pods and the tables of others', async () => {
    libc.notify(NETLINK_ROUTE, linkNotice('veth1'), linkNotice('cali0'));
    libc.notify(NETLINK_NETFILTER, tableNotice('kube-proxy'), tableNotice('kosmos', 15));
    await clock.advance(1_000);
    expect(changes).to.deep.equal([]);
  });

  it('tells of the own table', async () => {
    libc.notify(NETLINK_NETFILTER, Buffer.concat([tableNotice('kube-proxy'), tableNotice('kosmos')]));
    await clock.advance(100);
    expect(changes).to.deep.equal(['table']);
  });

  it('takes lost notices for some that count, and reads what is left', async () => {
    libc.notify(NETLINK_ROUTE, 'ENOBUFS', linkNotice('veth1'));
    libc.notify(NETLINK_NETFILTER, tableNotice('other'), 'ENOBUFS');
    await clock.advance(100);
    expect(changes).to.deep.equal(['network', 'table']);
    await clock.advance(1_000);
    expect(changes).to.deep.equal(['network', 'table']);
  });

  it('looks out for what is of interest at that moment', async () => {
    interest = { ...interest, names: new Set(['vx-local']) };
    libc.notify(NETLINK_ROUTE, linkNotice('vx-bridge'));
    await clock.advance(100);
    expect(changes).to.deep.equal([]);
    libc.notify(NETLINK_ROUTE, linkNotice('vx-local'));
    await clock.advance(100);
    expect(changes).to.deep.equal(['network']);
  });

  it('closes its sockets when it is stopped, and leaves no timer behind', async () => {
    abort.abort();
    await running;
    expect(libc.closed).to.deep.equal(libc.opened);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('ends with the error of a socket that can not be read, and closes both', async () => {
    libc.notify(NETLINK_ROUTE, 'EBADF');
    await clock.advance(100);
    let caught: unknown;
    await running.catch((error: unknown) => (caught = error));
    expect(caught).to.have.property('errnoName', 'EBADF');
    expect(libc.closed).to.deep.equal(libc.opened);
  });
});
