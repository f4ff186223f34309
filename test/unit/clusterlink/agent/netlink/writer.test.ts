import { expect } from 'chai';
import fc from 'fast-check';
import { FLAG } from '../../../../../src/clusterlink/agent/netlink/constants.js';
import { KernelError } from '../../../../../src/clusterlink/agent/netlink/kernel-error.js';
import {
  readAttributes,
  readMessages,
  readText,
  readU32,
} from '../../../../../src/clusterlink/agent/netlink/reader.js';
import { aligned, MessageWriter } from '../../../../../src/clusterlink/agent/netlink/writer.js';
import { netlinkMessage, written } from '../../../../support/fake-netlink.js';

const head = { type: 16, flags: 0, sequence: 7 };

describe('aligned', () => {
  it('is the next multiple of four', () => {
    expect([0, 1, 3, 4, 5, 65535].map(aligned)).to.deep.equal([0, 4, 4, 4, 8, 65536]);
  });
});

describe('MessageWriter', () => {
  it('writes messages of any length so that the next one begins at a multiple of four', () => {
    const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(contents, (parts) => {
        const writer = new MessageWriter();
        for (const [index, part] of parts.entries()) {
          writer.message({ ...head, sequence: index }, () => {
            for (const byte of part) writer.u8(byte);
          });
        }
        expect(writer.length % 4).to.equal(0);
        const read = [...readMessages(writer.bytes)];
        expect(read.map(({ body }) => [...body])).to.deep.equal(parts.map((part) => [...part]));
        expect(read.map(({ sequence }) => sequence)).to.deep.equal(parts.map((_part, index) => index));
      }),
    );
  });

  it('grows as far as it has to, and keeps what it has', () => {
    const writer = new MessageWriter();
    const large = Buffer.alloc(9_000, 0xab);
    writer.message(head, () => {
      writer.u32(0x01020304);
      writer.bytesAttribute(1, large);
      writer.bytesAttribute(2, large);
    });
    const [message] = readMessages(writer.bytes);
    expect(message?.body.readUInt32LE(0)).to.equal(0x01020304);
    const attributes = readAttributes(message!.body, 4);
    expect([attributes.get(1)?.equals(large), attributes.get(2)?.equals(large)]).to.deep.equal([true, true]);
  });

  it('leaves zeros in what is reserved, also when its buffer was used before', () => {
    const writer = new MessageWriter();
    for (let index = 0; index < 64; index++) writer.u8(0xff);
    writer.reset();
    writer.u8Attribute(1, 7);
    expect([...writer.bytes]).to.deep.equal([5, 0, 1, 0, 7, 0, 0, 0]);
  });

  it('asks with every message, and sets and clears other flags of the one that is meant', () => {
    const writer = new MessageWriter();
    writer.message({ ...head, flags: FLAG.ACK }, () => undefined);
    const second = writer.length;
    writer.message({ ...head, flags: FLAG.ACK }, () => undefined);
    writer.clearFlags(second, FLAG.ACK);
    writer.setFlags(0, FLAG.CREATE);
    expect([...readMessages(writer.bytes)].map(({ flags }) => flags)).to.deep.equal([
      FLAG.REQUEST | FLAG.ACK | FLAG.CREATE,
      FLAG.REQUEST,
    ]);
  });

  it('writes numbers in the order that each of them has', () => {
    const bytes = written((writer) => {
      writer.u16(0x0102);
      writer.u16(0x0304);
      writer.u16NetworkAttribute(1, 0x0102);
      writer.u32Attribute(2, 0xfffffffe);
    });
    expect(bytes.toString('hex')).to.equal('02010403' + '0600010001020000' + '08000200feffffff');
  });

  it('ends one kind of text with a zero, and the other not', () => {
    const attributes = readAttributes(
      written((writer) => {
        writer.textAttribute(1, 'vxlan');
        writer.bareTextAttribute(2, 'vxlan');
        writer.flagAttribute(3);
        writer.textAttribute(4, '');
        writer.bareTextAttribute(5, 'größe');
      }),
      0,
    );
    expect([...attributes.values()].map(({ length }) => length)).to.deep.equal([6, 5, 0, 1, 7]);
    expect([...attributes.values()].map(readText)).to.deep.equal(['vxlan', 'vxlan', '', '', 'größe']);
  });

  it('nests attributes to any depth', () => {
    const bytes = written((writer) =>
      writer.nestedAttribute(18, () => {
        writer.nestedAttribute(2, () => writer.u32Attribute(1, 54));
        writer.u8Attribute(9, 1);
      }),
    );
    const outer = readAttributes(bytes, 0).get(18)!;
    const inner = readAttributes(outer, 0);
    expect(readU32(readAttributes(inner.get(2)!, 0).get(1))).to.equal(54);
    expect(inner.get(9)?.[0]).to.equal(1);
  });

  it('reads back any attributes that it can write', () => {
    const attribute = fc.record({ type: fc.integer({ min: 1, max: 0x3fff }), value: fc.uint8Array({ maxLength: 50 }) });
    const some = fc.uniqueArray(attribute, { selector: ({ type }) => type, maxLength: 20 });
    fc.assert(
      fc.property(some, (attributes) => {
        const bytes = written((writer) => {
          for (const { type, value } of attributes) writer.bytesAttribute(type, value);
        });
        const read = [...readAttributes(bytes, 0)].map(([type, value]) => ({ type, value: [...value] }));
        expect(read).to.deep.equal(attributes.map(({ type, value }) => ({ type, value: [...value] })));
      }),
    );
  });
});

describe('reading what the kernel sent', () => {
  it('is nothing for nothing', () => {
    expect([...readMessages(Buffer.alloc(0))]).to.deep.equal([]);
    expect(readAttributes(Buffer.alloc(0), 0).size).to.equal(0);
  });

  it('needs no padding behind the last message', () => {
    const whole = netlinkMessage(16, 1, 0, Buffer.from([1, 2, 3, 4, 5]));
    const [message] = readMessages(whole.subarray(0, 21));
    expect([...(message?.body ?? [])]).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('gives the messages before the one that is cut off', () => {
    const bytes = Buffer.concat([netlinkMessage(16, 1, 0, Buffer.alloc(4)), netlinkMessage(16, 2, 0, Buffer.alloc(8))]);
    const seen: number[] = [];
    const read = (): void => {
      for (const { sequence } of readMessages(bytes.subarray(0, bytes.length - 4))) seen.push(sequence);
    };
    expect(read).to.throw(KernelError, 'a message is cut off');
    expect(seen).to.deep.equal([1]);
  });

  const lengths: readonly (readonly [string, number])[] = [
    ['zero', 0],
    ['shorter than a head', 15],
    ['longer than what was read', 33],
    ['as long as a number can be', 0xffffffff],
  ];
  for (const [what, length] of lengths) {
    it(`refuses a message whose length is ${what}`, () => {
      const bytes = netlinkMessage(16, 1, 0, Buffer.alloc(16));
      bytes.writeUInt32LE(length, 0);
      expect(() => [...readMessages(bytes)]).to.throw(KernelError, 'cut off');
    });
  }

  for (const length of [0, 1, 3, 9, 0xffff]) {
    it(`refuses an attribute of the length ${length}`, () => {
      const bytes = written((writer) => writer.u32Attribute(1, 1));
      bytes.writeUInt16LE(length, 0);
      expect(() => readAttributes(bytes, 0)).to.throw(KernelError, 'an attribute is cut off');
    });
  }

  it('takes the last of several attributes of one type, and ignores how content is encoded', () => {
    const bytes = written((writer) => {
      writer.u32Attribute(1, 1);
      writer.u32Attribute(0x8000 | 1, 2);
      writer.u32Attribute(0x4000 | 2, 3);
    });
    const attributes = readAttributes(bytes, 0);
    expect([readU32(attributes.get(1)), readU32(attributes.get(2)), attributes.size]).to.deep.equal([2, 3, 2]);
  });

  it('ignores a rest that is too short for an attribute', () => {
    const bytes = Buffer.concat([written((writer) => writer.u32Attribute(1, 1)), Buffer.alloc(3)]);
    expect([...readAttributes(bytes, 0).keys()]).to.deep.equal([1]);
  });

  it('reads numbers and texts that are missing, cut off or without an end', () => {
    expect([readU32(undefined), readText(undefined)]).to.deep.equal([undefined, undefined]);
    expect(() => readU32(Buffer.alloc(3))).to.throw(KernelError, 'cut off');
    expect([
      readText(Buffer.from('eth0')),
      readText(Buffer.from('eth0\0junk')),
      readText(Buffer.alloc(0)),
    ]).to.deep.equal(['eth0', 'eth0', '']);
  });
});
