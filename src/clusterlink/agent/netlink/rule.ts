import { FLAG, FR_ACT_TO_TBL, FRA, RTM, RT_TABLE_UNSPEC } from './constants.js';
import { familyByNumber, familyNumber, type Family } from './family.js';
import { expectBytes, type NetlinkMessage, readAttributes, readU32 } from './reader.js';
import type { MessageWriter } from './writer.js';

/** A rule that looks every packet up in a table. */
export interface LookupRule {
  readonly family: Family;
  readonly priority: number;
  readonly table: number;
  readonly protocol: number;
}

/** A rule as the kernel describes it. */
export interface KernelRule extends LookupRule {
  /** It holds for every packet, and looks it up in the table. */
  readonly plain: boolean;
}

const HEAD_BYTES = 12;
const LARGEST_TABLE_IN_HEAD = 255;
/** Attributes that make a rule hold for some packets only. */
const SELECTORS = [FRA.DST, FRA.SRC, FRA.IIFNAME, FRA.OIFNAME, FRA.FWMARK];

/** Asks for all rules of a family. */
export function encodeRuleDump(writer: MessageWriter, sequence: number, family: Family): void {
  writer.message({ type: RTM.GETRULE, flags: FLAG.DUMP, sequence }, () => writeHead(writer, family, 0, 0));
}

/** Adds a rule; fails when it is there. */
export function encodeRuleAdd(writer: MessageWriter, sequence: number, rule: LookupRule): void {
  const flags = FLAG.ACK | FLAG.EXCLUSIVE | FLAG.CREATE;
  writer.message({ type: RTM.NEWRULE, flags, sequence }, () => writeRule(writer, rule, FR_ACT_TO_TBL));
}

/** Removes exactly this rule. */
export function encodeRuleDelete(writer: MessageWriter, sequence: number, rule: LookupRule): void {
  writer.message({ type: RTM.DELRULE, flags: FLAG.ACK, sequence }, () => writeRule(writer, rule, 0));
}

/** Reads NEWRULE and DELRULE; undefined for families other than the two. */
export function decodeRule({ body }: NetlinkMessage): KernelRule | undefined {
  expectBytes(body, HEAD_BYTES);
  const family = familyByNumber(body[0] ?? 0);
  if (family === undefined) return undefined;
  const attributes = readAttributes(body, HEAD_BYTES);
  const selected = SELECTORS.some((type) => attributes.has(type)) || body[1] !== 0 || body[2] !== 0 || body[3] !== 0;
  return {
    family,
    priority: readU32(attributes.get(FRA.PRIORITY)) ?? 0,
    table: readU32(attributes.get(FRA.TABLE)) ?? body[4] ?? 0,
    protocol: attributes.get(FRA.PROTOCOL)?.[0] ?? 0,
    plain: !selected && body[7] === FR_ACT_TO_TBL,
  };
}

function writeRule(writer: MessageWriter, { family, priority, table, protocol }: LookupRule, action: number): void {
  writeHead(writer, family, table > LARGEST_TABLE_IN_HEAD ? RT_TABLE_UNSPEC : table, action);
  writer.u32Attribute(FRA.PRIORITY, priority);
  // Without a prefix this is every source; `ip` says so too.
  writer.flagAttribute(FRA.SRC);
  if (table > LARGEST_TABLE_IN_HEAD) writer.u32Attribute(FRA.TABLE, table);
  writer.u8Attribute(FRA.PROTOCOL, protocol);
}

/** struct fib_rule_hdr */
function writeHead(writer: MessageWriter, family: Family, table: number, action: number): void {
  writer.u8(familyNumber(family));
  writer.u8(0);
  writer.u8(0);
  writer.u8(0);
  writer.u8(table);
  writer.u8(0);
  writer.u8(0);
  writer.u8(action);
  writer.u32(0);
}
