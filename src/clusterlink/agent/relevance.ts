import { decodeAddress } from './netlink/address.js';
import { RTM } from './netlink/constants.js';
import { decodeLink } from './netlink/link.js';
import type { NetlinkMessage } from './netlink/reader.js';
import { expectBytes, readAttributes, readText } from './netlink/reader.js';
import { decodeRoute } from './netlink/route.js';
import { OWN_TABLE } from './nftables/render.js';

/** What of the kernel the agent has to do with. */
export interface Interest {
  /** Our devices and those below them. */
  readonly names: ReadonlySet<string>;
  readonly indexes: ReadonlySet<number>;
  /** Marks routes as ours. */
  readonly protocol: number;
}

const NDMSG_INDEX_OFFSET = 4;
const NDMSG_BYTES = 12;
const NFGENMSG_BYTES = 4;
/** In messages about tables, chains, rules and sets alike (NFTA_TABLE_NAME and so on). */
const NFTA_TABLE_NAME = 1;
/** NFT_MSG_NEWGEN: a transaction has ended; says nothing of its content. */
const NEW_GENERATION = 15;

type Judge = (message: NetlinkMessage, interest: Interest) => boolean;

const aboutLink: Judge = (message, { names }) => names.has(decodeLink(message)?.name ?? '');
const aboutAddress: Judge = (message, { indexes }) => indexes.has(decodeAddress(message)?.index ?? 0);
const aboutNeighbour: Judge = ({ body }, { indexes }) => {
  expectBytes(body, NDMSG_BYTES);
  return indexes.has(body.readInt32LE(NDMSG_INDEX_OFFSET));
};
/** A default route decides which interface is detected. */
const aboutRoute: Judge = (message, { protocol }) => {
  const route = decodeRoute(message);
  return route !== undefined && (route.protocol === protocol || route.prefixLength === 0);
};

const JUDGES: ReadonlyMap<number, Judge> = new Map<number, Judge>([
  [RTM.NEWLINK, aboutLink],
  [RTM.DELLINK, aboutLink],
  [RTM.NEWADDR, aboutAddress],
  [RTM.DELADDR, aboutAddress],
  [RTM.NEWNEIGH, aboutNeighbour],
  [RTM.DELNEIGH, aboutNeighbour],
  [RTM.NEWROUTE, aboutRoute],
  [RTM.DELROUTE, aboutRoute],
  [RTM.NEWRULE, () => true],
  [RTM.DELRULE, () => true],
]);

/**
 * Whether a notice of the kernel may be about something that the agent keeps. On a busy node most are not: pods come and
 * go with their devices and routes, and neighbours are looked up all the time. Throws KernelError on nonsense.
 */
export function isRelevant(message: NetlinkMessage, interest: Interest): boolean {
  return JUDGES.get(message.type)?.(message, interest) ?? false;
}

/** The same for notices of nftables: whether one is about the agent's table. */
export function isAboutOwnTable({ type, body }: NetlinkMessage): boolean {
  if ((type & 0xff) === NEW_GENERATION) return false;
  expectBytes(body, NFGENMSG_BYTES);
  return readText(readAttributes(body, NFGENMSG_BYTES).get(NFTA_TABLE_NAME)) === OWN_TABLE.name;
}
