import type { KubeObject } from '../../apis/core.js';
import { ACCOUNT_NAME_ANNOTATION, FORMER_ACCOUNT_ANNOTATION, FORMER_COPY_ANNOTATION } from '../../apis/names.js';
import { isLabelled, type Ownership } from '../../clustertree/cluster/ownership.js';
import { desiredCopy } from '../../clustertree/config/copy.js';
import type { CopiedKind } from '../../clustertree/config/kinds.js';
import { ADOPTED, marked, otherOwner, problem, stays, type Judgement } from './judgement.js';

/** A ConfigMap or Secret on both sides; metadata is enough. */
export interface CopyPair {
  readonly kind: CopiedKind;
  readonly hostObject: KubeObject | undefined;
  /** Of the name that the host's object has in the member. */
  readonly copy: KubeObject;
  /** A host pod on the Cluster's virtual nodes refers to it. */
  readonly isUsed: boolean;
}

const OF_THE_POD = 'pods that were made with it may need it';
const TOKEN = 'holds a token that does not expire, for pods that were made with it; delete it when they are replaced';

/** What becomes of a copy; undefined when it is nobody's business. */
export function judgeCopy(pair: CopyPair, ownership: Ownership): Judgement | undefined {
  const { copy, isUsed, hostObject } = pair;
  if (isLabelled(copy, ownership)) return ADOPTED;
  const isNeeded = isUsed && hostObject !== undefined;
  const other = otherOwner(copy, ownership);
  if (other !== undefined || !isFormer(copy)) {
    const why = `belongs to ${other ?? 'somebody else'} in the member: new pods that need it wait; rename one of the two`;
    return isNeeded ? problem(why) : undefined;
  }
  if (copy.metadata?.annotations?.[ACCOUNT_NAME_ANNOTATION] !== undefined) {
    return isNeeded ? problem(`${TOKEN}: new pods that name it wait until then`) : stays(TOKEN);
  }
  return judgeFormer(pair, ownership);
}

function isFormer({ metadata }: KubeObject): boolean {
  return metadata?.annotations?.[FORMER_COPY_ANNOTATION] === 'true';
}

/** Of what nobody needs, or what the host has no longer, the manager would think that it has to go. */
function judgeFormer({ kind, hostObject, copy, isUsed }: CopyPair, ownership: Ownership): Judgement {
  if (!isUsed) {
    const isToken = copy.metadata?.annotations?.[FORMER_ACCOUNT_ANNOTATION] !== undefined;
    return stays(isToken ? TOKEN : `no pod of the host refers to it; ${OF_THE_POD}`);
  }
  if (hostObject === undefined) return stays(`the host has no such object any more; ${OF_THE_POD}`);
  const { metadata = {} } = desiredCopy(kind, hostObject, ownership, copy.metadata?.name ?? '');
  return { kind: 'adopt', changes: [marked(kind.type, copy, metadata)] };
}
