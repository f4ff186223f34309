import {
  AF,
  FLAG,
  FR_ACT_TO_TBL,
  FRA,
  IFA,
  IFLA,
  IFLA_INFO,
  IFLA_VXLAN,
  NDA,
  NUD,
  RTA,
  RTM,
  RTN_UNICAST,
} from '../../src/clusterlink/agent/netlink/constants.js';
import { familyNumber, familyOf } from '../../src/clusterlink/agent/netlink/family.js';
import { ipToBytes, macToBytes } from '../../src/clusterlink/agent/netlink/ip-bytes.js';
import { decodeLink, type Link } from '../../src/clusterlink/agent/netlink/link.js';
import type { Neighbour } from '../../src/clusterlink/agent/netlink/neighbour.js';
import type { NetlinkMessage } from '../../src/clusterlink/agent/netlink/reader.js';
import type { GatewayRoute } from '../../src/clusterlink/agent/netlink/route.js';
import type { LookupRule } from '../../src/clusterlink/agent/netlink/rule.js';
import type { MessageWriter } from '../../src/clusterlink/agent/netlink/writer.js';
import { acknowledge, type Answer, endOfDump, netlinkMessage, written } from './fake-netlink.js';

/** A device to be there. */
export interface ScriptedLink {
  readonly index: number;
  readonly name: string;
  readonly mac?: string | undefined;
  readonly mtu?: number;
  readonly alias?: string | undefined;
  readonly up?: boolean;
  readonly vxlan?: {
    readonly vni?: number;
    readonly port?: number;
    readonly local?: string;
    readonly underlay?: number;
    readonly learning?: boolean;
  };
}

interface Entry {
  readonly type: number;
  readonly family: number;
  readonly index?: number;
  readonly body: Buffer;
}

/** Answers requests as the kernel would: keeps devices that are made, gives dumps of what it was told of, refuses on demand. */
export class ScriptedKernel {
  /** Why a dump fails, by the type that asks for it. */
  readonly dumpErrors = new Map<number, string>();
  /** The error of a change, and the kernel's words about it; undefined when it is made. */
  refuse: (message: NetlinkMessage) => readonly [string, string?] | undefined = () => undefined;
  readonly #links = new Map<number, Buffer>();
  readonly #entries: Entry[] = [];

  readonly answer: Answer = (requests) => requests.flatMap((request) => this.#answer(request));

  link(link: ScriptedLink): void {
    this.#links.set(link.index, linkBody(link));
  }

  unlink(index: number): void {
    this.#links.delete(index);
  }

  links(): readonly Link[] {
    return [...this.#links.values()].flatMap(
      (body) => decodeLink({ type: RTM.NEWLINK, flags: 0, sequence: 0, body }) ?? [],
    );
  }

  address(index: number, ip: string, prefixLength: number, scope = 0): void {
    const family = familyNumber(familyOf(ip));
    const body = written((writer) => {
      for (const byte of [family, prefixLength, 0, scope]) writer.u8(byte);
      writer.u32(index);
      writer.bytesAttribute(IFA.ADDRESS, ipToBytes(ip));
    });
    this.#entries.push({ type: RTM.NEWADDR, family, body });
  }

  /** @param mark - firewall mark for which alone it holds */
  rule({ family, priority, table, protocol }: LookupRule, mark?: number): void {
    const body = written((writer) => {
      for (const byte of [familyNumber(family), 0, 0, 0, 0, 0, 0, FR_ACT_TO_TBL]) writer.u8(byte);
      writer.u32(0);
      writer.u32Attribute(FRA.PRIORITY, priority);
      writer.u32Attribute(FRA.TABLE, table);
      writer.u8Attribute(FRA.PROTOCOL, protocol);
      if (mark !== undefined) writer.u32Attribute(FRA.FWMARK, mark);
    });
    this.#entries.push({ type: RTM.NEWRULE, family: familyNumber(family), body });
  }

  neighbour(
    { index, ip, mac }: Neighbour,
    { forwarding = false, state = NUD.PERMANENT }: { readonly forwarding?: boolean; readonly state?: number } = {},
  ): void {
    const family = forwarding ? AF.BRIDGE : familyNumber(familyOf(ip));
    const body = written((writer) => {
      writer.u32(family);
      writer.u32(index);
      writer.u16(state);
      writer.u16(0);
      writer.bytesAttribute(NDA.DST, ipToBytes(ip));
      writer.bytesAttribute(NDA.LLADDR, macToBytes(mac));
    });
    this.#entries.push({ type: RTM.NEWNEIGH, family, index, body });
  }

  /** Without a gateway when that is empty, and without a device when its number is 0. */
  route(
    { family, table, protocol, destination, prefixLength, gateway, index, metric }: GatewayRoute,
    type = RTN_UNICAST,
  ): void {
    const body = written((writer) => {
      for (const byte of [familyNumber(family), prefixLength, 0, 0, 0, protocol, 0, type]) writer.u8(byte);
      writer.u32(0);
      writer.u32Attribute(RTA.TABLE, table);
      writer.bytesAttribute(RTA.DST, ipToBytes(destination));
      if (gateway !== '') writer.bytesAttribute(RTA.GATEWAY, ipToBytes(gateway));
      writer.u32Attribute(RTA.PRIORITY, metric);
      if (index !== 0) writer.u32Attribute(RTA.OIF, index);
    });
    this.#entries.push({ type: RTM.NEWROUTE, family: familyNumber(family), body });
  }

  #answer(request: NetlinkMessage): readonly Buffer[] {
    const { type, sequence, flags } = request;
    if ([RTM.GETLINK, RTM.GETADDR, RTM.GETROUTE, RTM.GETNEIGH, RTM.GETRULE].some((asking) => asking === type)) {
      return this.#dump(request);
    }
    const refusal = this.refuse(request);
    if (refusal !== undefined) return [acknowledge(sequence, ...refusal)];
    if (type === RTM.NEWLINK) this.#change(request);
    if (type === RTM.DELLINK) this.unlink(request.body.readInt32LE(4));
    return (flags & FLAG.ACK) === 0 ? [] : [acknowledge(sequence)];
  }

  #dump({ type, sequence, body }: NetlinkMessage): readonly Buffer[] {
    const error = this.dumpErrors.get(type);
    if (error !== undefined) return [acknowledge(sequence, error)];
    // A request for objects has the number of a new object, and two.
    const kind = type - 2;
    const family = body[0];
    const found =
      type === RTM.GETLINK
        ? [...this.#links.values()]
        : this.#entries
            .filter((entry) => entry.type === kind && (family === AF.UNSPEC || entry.family === family))
            .map((entry) => entry.body);
    return [...found.map((object) => netlinkMessage(kind, sequence, 0, object)), endOfDump(sequence)];
  }

  /** Makes a device, or changes one. */
  #change({ body, type, flags, sequence }: NetlinkMessage): void {
    const asked = decodeLink({ body, type, flags, sequence });
    if (asked === undefined) return;
    const there = this.links().find(({ index }) => index === asked.index);
    const { name = '', mac, mtu = 0, alias, up = false, vxlan } = { ...there, ...given(asked) };
    const index = there?.index ?? 100 + this.#links.size;
    this.link({ index, name, mac, mtu, alias, up, ...(vxlan !== undefined && { vxlan: given(vxlan) }) });
  }
}

/** What a request says; the rest stays as it is. */
function given<T extends object>(fields: T): { [Field in keyof T]?: NonNullable<T[Field]> } {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined && value !== 0 && value !== '');
  return Object.fromEntries(said) as { [Field in keyof T]?: NonNullable<T[Field]> };
}

function linkBody({ index, name, mac, mtu = 1500, alias, up = true, vxlan }: ScriptedLink): Buffer {
  return written((writer) => {
    writer.u32(0);
    writer.u32(index);
    writer.u32((up ? 1 : 0) | (name === 'lo' ? 8 : 0));
    writer.u32(0);
    writer.textAttribute(IFLA.IFNAME, name);
    writer.u32Attribute(IFLA.MTU, mtu);
    if (mac !== undefined) writer.bytesAttribute(IFLA.ADDRESS, macToBytes(mac));
    if (alias !== undefined) writer.textAttribute(IFLA.IFALIAS, alias);
    if (vxlan !== undefined) writer.nestedAttribute(IFLA.LINKINFO, () => writeVxlan(writer, vxlan));
  });
}

function writeVxlan(
  writer: MessageWriter,
  { vni = 54, port = 4876, local = '172.18.1.11', underlay = 0, learning = false }: NonNullable<ScriptedLink['vxlan']>,
): void {
  writer.textAttribute(IFLA_INFO.KIND, 'vxlan');
  writer.nestedAttribute(IFLA_INFO.DATA, () => {
    writer.u32Attribute(IFLA_VXLAN.ID, vni);
    writer.u32Attribute(IFLA_VXLAN.LINK, underlay);
    const address = ipToBytes(local);
    writer.bytesAttribute(address.length === 4 ? IFLA_VXLAN.LOCAL : IFLA_VXLAN.LOCAL6, address);
    writer.u8Attribute(IFLA_VXLAN.LEARNING, learning ? 1 : 0);
    writer.u16NetworkAttribute(IFLA_VXLAN.PORT, port);
  });
}
