/** Numbers of rtnetlink (linux/netlink.h, rtnetlink.h, if_link.h, neighbour.h, fib_rules.h); only those in use. */

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

/** Kinds of messages that are no objects. */
export const CONTROL = { ERROR: 2, DONE: 3, OVERRUN: 4 } as const;

/** Kinds of messages about objects. */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWRULE: 32,
  DELRULE: 33,
  GETRULE: 34,
} as const;

/** Flags of a message's head. */
export const FLAG = {
  REQUEST: 0x1,
  ACK: 0x4,
  /** Of a dump's answer: the objects changed meanwhile, and the answer may be inconsistent. */
  DUMP_INTERRUPTED: 0x10,
  REPLACE: 0x100,
  EXCLUSIVE: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  DUMP: 0x300,
  /** Of an acknowledgement: the request isn't repeated in it. */
  ACK_CAPPED: 0x100,
  /** Of an acknowledgement: attributes follow. */
  ACK_ATTRIBUTES: 0x200,
} as const;

/** Groups of change notices, as the bits of an address. */
export const GROUP = {
  LINK: 1 << 0,
  NEIGHBOUR: 1 << 2,
  IPV4_ADDRESS: 1 << 4,
  IPV4_ROUTE: 1 << 6,
  IPV4_RULE: 1 << 7,
  IPV6_ADDRESS: 1 << 8,
  IPV6_ROUTE: 1 << 10,
  IPV6_RULE: 1 << 18,
  /** Of NETLINK_NETFILTER. */
  NFTABLES: 1 << 6,
} as const;

export const AF = { UNSPEC: 0, INET: 2, BRIDGE: 7, INET6: 10 } as const;

export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  LINKINFO: 18,
  IFALIAS: 20,
  STATS64: 23,
  EXT_MASK: 29,
} as const;
export const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
export const IFLA_VXLAN = { ID: 1, LINK: 3, LOCAL: 4, LEARNING: 7, PORT: 15, LOCAL6: 17 } as const;
export const IFF = { UP: 0x1, LOOPBACK: 0x8 } as const;
/** Leave counters out of a dump of devices. */
export const SKIP_STATISTICS = 1 << 3;

export const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
export const IFA_FLAG = { TEMPORARY: 0x1, NODAD: 0x2, DAD_FAILED: 0x8, DEPRECATED: 0x20, TENTATIVE: 0x40 } as const;

export const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, MULTIPATH: 9, TABLE: 15 } as const;
export const RTNH_F_ONLINK = 4;
export const RTN_UNICAST = 1;
export const SCOPE = { UNIVERSE: 0, LINK: 253, HOST: 254, NOWHERE: 255 } as const;
/** Stands in the head of a message when the table's number, in an attribute, doesn't fit there. */
export const RT_TABLE_UNSPEC = 0;

export const NDA = { DST: 1, LLADDR: 2, IFINDEX: 8 } as const;
export const NUD = { NOARP: 0x40, PERMANENT: 0x80 } as const;
export const NTF_SELF = 0x2;

export const FRA = {
  DST: 1,
  SRC: 2,
  IIFNAME: 3,
  PRIORITY: 6,
  FWMARK: 10,
  TABLE: 15,
  OIFNAME: 17,
  PROTOCOL: 21,
} as const;
export const FR_ACT_TO_TBL = 1;

/** Attributes of an extended acknowledgement. */
export const ACK_ATTRIBUTE = { MESSAGE: 1 } as const;

export const SOL_NETLINK = 270;
export const SOCKET_OPTION = { CAP_ACK: 10, EXT_ACK: 11, STRICT_CHECK: 12 } as const;
