import { expect } from 'chai';
import { CONTROL, FLAG, RTM } from '../../../../../src/clusterlink/agent/netlink/constants.js';
import { isErrno, KernelError } from '../../../../../src/clusterlink/agent/netlink/kernel-error.js';
import { type EncodeRequest, NetlinkSocket } from '../../../../../src/clusterlink/agent/netlink/socket.js';
import { acknowledge, endOfDump, FakeLibc, netlinkMessage } from '../../../../support/fake-netlink.js';

/** A request with one byte of content, that asks for an acknowledgement. */
function request(value: number): EncodeRequest {
  return (writer, sequence) =>
    writer.message({ type: RTM.NEWROUTE, flags: FLAG.ACK, sequence }, () => writer.u32(value));
}

const dump: EncodeRequest = (writer, sequence) =>
  writer.message({ type: RTM.GETLINK, flags: FLAG.DUMP, sequence }, () => writer.u32(0));

const object = (sequence: number, value: number, flags = 0): Buffer =>
  netlinkMessage(RTM.NEWLINK, sequence, flags, Buffer.from([value, 0, 0, 0]));

function caught(work: () => unknown): KernelError {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(KernelError);
    return error as KernelError;
  }
  throw new Error('nothing was thrown');
}

describe('NetlinkSocket', () => {
  let libc: FakeLibc;
  let socket: NetlinkSocket;

  beforeEach(() => {
    libc = new FakeLibc();
    socket = new NetlinkSocket(libc, 0, 0x51);
  });

  describe('when it is opened', () => {
    it('asks for short and extended acknowledgements, for strict checks and for room', () => {
      expect(libc.options).to.deep.equal(['270 10', '270 11', '270 12', '1 33']);
      expect([...libc.bound.values()]).to.deep.equal([{ protocol: 0, groups: 0x51 }]);
    });

    it('takes what room it may when it lacks the right to more', () => {
      libc.options.length = 0;
      const names = ['EINVAL', 'EINVAL', 'EINVAL', 'EPERM'];
      libc.failures.setsockopt = names;
      new NetlinkSocket(libc, 0);
      expect(libc.options).to.deep.equal(['1 8']);
    });

    it('says why it can not be', () => {
      libc.failures.socket = ['EMFILE'];
      expect(caught(() => new NetlinkSocket(libc, 0))).to.include({
        ...{ message: 'a netlink socket can not be opened: EMFILE', errnoName: 'EMFILE', errno: 24 },
      });
      libc.failures.bind = ['EPERM'];
      expect(caught(() => new NetlinkSocket(libc, 0)).message).to.equal('a netlink socket can not be bound: EPERM');
    });

    it('keeps no descriptor that it could not bind', () => {
      libc.failures.bind = ['EPERM'];
      const before = libc.opened.length;
      caught(() => new NetlinkSocket(libc, 0));
      expect(libc.opened.slice(before)).to.have.length(1);
      expect(libc.closed).to.deep.equal(libc.opened.slice(before));
    });
  });

  describe('send', () => {
    it('sends nothing for nothing', () => {
      expect(socket.send([]).size).to.equal(0);
      expect(libc.sent).to.deep.equal([]);
    });

    it('sends a batch in one call, of which only the last asks for an answer', () => {
      expect(socket.send([request(1), request(2), request(3)]).size).to.equal(0);
      expect(libc.sent).to.have.length(1);
      const [batch = []] = libc.sent;
      expect(batch.map(({ flags }) => (flags & FLAG.ACK) !== 0)).to.deep.equal([false, false, true]);
      expect(batch.every(({ flags }) => (flags & FLAG.REQUEST) !== 0)).to.equal(true);
      expect(batch.map(({ body }) => body.readUInt32LE(0))).to.deep.equal([1, 2, 3]);
    });

    it('numbers requests one after the other, over all calls', () => {
      socket.send([request(1), request(2)]);
      socket.send([request(3)]);
      expect(libc.sent.flat().map(({ sequence }) => sequence)).to.deep.equal([1, 2, 3]);
    });

    it("tells which ones were refused, with the kernel's words", () => {
      libc.answer = (requests) => [
        acknowledge(requests[0]!.sequence, 'EEXIST', 'A VXLAN device with the specified VNI already exists'),
        acknowledge(requests[2]!.sequence, 'EPERM'),
      ];
      const refused = socket.send([request(1), request(2), request(3)]);
      expect([...refused].map(([index, { message }]) => [index, message])).to.deep.equal([
        [0, 'EEXIST: A VXLAN device with the specified VNI already exists'],
        [2, 'EPERM'],
      ]);
      expect(isErrno(refused.get(0), 'EEXIST')).to.equal(true);
      expect(isErrno(refused.get(0), 'EPERM')).to.equal(false);
    });

    it('reads answers that come in several parts', () => {
      libc.answer = (requests) => requests.slice(0, 2).map(({ sequence }) => acknowledge(sequence, 'EINVAL'));
      expect(() => socket.send([request(1), request(2), request(3)])).to.throw('did not answer');
      libc.answer = (requests) => [
        Buffer.concat(requests.map(({ sequence }) => acknowledge(sequence, 'EINVAL'))),
        acknowledge(999),
      ];
      expect([...socket.send([request(1), request(2), request(3)]).keys()]).to.deep.equal([0, 1, 2]);
    });

    it('takes no late answer to an earlier batch for one to this', () => {
      libc.answer = () => [];
      expect(() => socket.send([request(1)])).to.throw(KernelError, 'the kernel did not answer a request');
      libc.answer = ([first]) => [acknowledge(1, 'EPERM'), acknowledge(first!.sequence)];
      expect(socket.send([request(2)]).size).to.equal(0);
    });

    it('passes over notices between answers', () => {
      libc.answer = ([first]) => [object(0, 1), acknowledge(first!.sequence, 'ENODEV')];
      expect(socket.send([request(1)]).get(0)?.errnoName).to.equal('ENODEV');
    });

    it('fails when nothing can be sent, or read', () => {
      libc.failures.send = ['ENOBUFS'];
      expect(caught(() => socket.send([request(1)])).message).to.equal(
        'a request can not be sent to the kernel: ENOBUFS',
      );
      libc.failures.recv = ['EBADF'];
      expect(caught(() => socket.send([request(1)])).message).to.equal("the kernel's answer can not be read: EBADF");
    });

    it('leaves nothing behind of a request that could not be written', () => {
      const broken: EncodeRequest = (writer, sequence) =>
        writer.message({ type: RTM.NEWROUTE, flags: FLAG.ACK, sequence }, () => {
          writer.u32(0xffffffff);
          throw new KernelError('no address');
        });
      expect(() => socket.send([request(1), broken])).to.throw('no address');
      expect(socket.send([request(5)]).size).to.equal(0);
      expect(libc.sent.flat().map(({ body }) => body.readUInt32LE(0))).to.deep.equal([5]);
    });

    it('names an error that has no name by nothing but does not take it for success', () => {
      const odd = Buffer.from(acknowledge(1, 'EPERM'));
      odd.writeInt32LE(-9999, 16);
      libc.answer = () => [odd];
      expect(socket.send([request(1)]).get(0)).to.include({ errno: 9999, errnoName: '' });
    });
  });

  describe('dump', () => {
    let taken: number[];
    let begun: number;
    const read = (): void =>
      socket.dump(
        dump,
        () => {
          begun++;
          taken = [];
        },
        ({ body }) => taken.push(body[0] ?? -1),
      );

    beforeEach(() => {
      taken = [];
      begun = 0;
    });

    it('gives all objects, over all parts of the answer', () => {
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [
        Buffer.concat([object(sequence, 1), object(sequence, 2)]),
        object(sequence, 3),
        endOfDump(sequence),
      ];
      read();
      expect([taken, begun]).to.deep.equal([[1, 2, 3], 1]);
    });

    it('gives nothing of an earlier dump that was given up', () => {
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [object(sequence, 1), object(sequence, 2)];
      expect(read).to.throw('did not answer');
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [object(1, 9), object(sequence, 4), endOfDump(sequence)];
      read();
      expect(taken).to.deep.equal([4]);
    });

    it('starts over when objects have changed meanwhile', () => {
      let asked = 0;
      libc.answer = ([{ sequence } = { sequence: 0 }]) => {
        asked++;
        const flags = asked < 3 ? FLAG.DUMP_INTERRUPTED : 0;
        return [object(sequence, asked), object(sequence, asked + 10, flags), endOfDump(sequence, undefined, flags)];
      };
      read();
      expect([taken, begun]).to.deep.equal([[3, 13], 3]);
    });

    it('notices an interruption that only the end tells of', () => {
      let asked = 0;
      libc.answer = ([{ sequence } = { sequence: 0 }]) => {
        const flags = asked++ === 0 ? FLAG.DUMP_INTERRUPTED : 0;
        return [object(sequence, 1), endOfDump(sequence, undefined, flags)];
      };
      read();
      expect(begun).to.equal(2);
    });

    it('gives up when it never gets a whole answer', () => {
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [endOfDump(sequence, undefined, FLAG.DUMP_INTERRUPTED)];
      expect(read).to.throw(KernelError, 'changes faster than it can be read');
      expect(begun).to.equal(10);
    });

    it('fails with the error that the kernel gives at once, or in the end', () => {
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [acknowledge(sequence, 'EINVAL', 'Invalid header')];
      expect(caught(read)).to.include({ message: 'EINVAL: Invalid header', errnoName: 'EINVAL' });
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [endOfDump(sequence, 'ENOENT')];
      expect(caught(read)).to.include({ message: 'ENOENT', errno: 2 });
    });

    it('fails when an answer is cut off, and goes on afterwards', () => {
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [object(sequence, 1).subarray(0, 18)];
      expect(read).to.throw(KernelError, 'a message is cut off');
      libc.answer = ([{ sequence } = { sequence: 0 }]) => [object(sequence, 6), endOfDump(sequence)];
      read();
      expect(taken).to.deep.equal([6]);
    });
  });

  describe('poll', () => {
    it('gives what came by itself, once', () => {
      expect(socket.poll()).to.equal(undefined);
      libc.notify(0, object(0, 8));
      expect(socket.poll()).to.deep.equal(object(0, 8));
      expect(socket.poll()).to.equal(undefined);
    });

    it('says when notices were lost', () => {
      libc.notify(0, 'ENOBUFS');
      expect(
        isErrno(
          caught(() => socket.poll()),
          'ENOBUFS',
        ),
      ).to.equal(true);
    });
  });

  it('gives its descriptor back', () => {
    socket.close();
    expect(libc.closed).to.deep.equal(libc.opened);
  });

  it('knows an acknowledgement from an error by its number alone', () => {
    libc.answer = ([first]) => [netlinkMessage(CONTROL.ERROR, first!.sequence, 0, Buffer.alloc(20))];
    expect(socket.send([request(1)]).size).to.equal(0);
  });
});
