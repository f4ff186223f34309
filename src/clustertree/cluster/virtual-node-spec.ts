import type { Taint } from '../../apis/core.js';
import type { LeafMode, LeafModel } from '../../apis/kosmos/v1alpha1/cluster.js';
import {
  CLUSTER_LABEL,
  EXCLUDE_LOAD_BALANCERS_LABEL,
  HOSTNAME_LABEL,
  NODE_LABEL,
  NODE_TAINT,
  VIRTUAL_NODE_PREFIX,
} from '../../apis/names.js';
import type { LabelSelector, Labels } from '../../lib/label-selector.js';
import { isEmptySelector, labelSelectorProblems } from '../../lib/label-selector.js';
import { isDnsSubdomain, isLabelKey, isLabelValue } from '../../lib/label-syntax.js';

interface VirtualNodeBase {
  /** Name of the Node object in the host. */
  readonly nodeName: string;
  /** From `leafModels[].labels`. */
  readonly labels: Labels;
  /** From `leafModels[].taints`, Kosmos' own taint when those are absent. */
  readonly taints: readonly Taint[];
}

/** One virtual node of a Cluster: stands for the whole member, for one of its nodes, or for those a selector selects. */
export type VirtualNodeSpec =
  | (VirtualNodeBase & { readonly mode: 'all' })
  | (VirtualNodeBase & { readonly mode: 'node'; readonly memberNodeName: string })
  | (VirtualNodeBase & { readonly mode: 'party'; readonly selector: LabelSelector });

/** The longest value of a label; the hostname label holds the node's name. */
const MAX_NAME_LENGTH = 63;
const PATH = 'spec.clusterTreeOptions.leafModels';
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/**
 * The virtual nodes that `leafModels` describe. The first entry decides the mode, as in Kosmos; whatever is wrong is
 * added to `problems`, and the result is of use only when nothing was added.
 */
export function compileVirtualNodes(
  clusterName: string,
  models: readonly LeafModel[] | undefined,
  problems: string[],
): { readonly mode: LeafMode; readonly virtualNodes: readonly VirtualNodeSpec[] } {
  const [first] = models ?? [{}];
  if (first === undefined) {
    problems.push(`${PATH}: is empty; leave it out for one virtual node that stands for the whole member`);
    return { mode: 'all', virtualNodes: [] };
  }
  const { mode } = selectionOf(first);
  const virtualNodes = (models ?? [first]).map((model, index) => {
    const { mode: own } = selectionOf(model);
    if (own !== mode) problems.push(`${PATH}[${index}].nodeSelector: mode ${own} can't be mixed with ${mode}`);
    return compileOne(clusterName, model, index, problems);
  });
  problems.push(...duplicateProblems(virtualNodes));
  return { mode, virtualNodes };
}

type Selection =
  | { readonly mode: 'all' }
  | { readonly mode: 'node'; readonly memberNodeName: string }
  | { readonly mode: 'party'; readonly selector: LabelSelector };

/** A label selector wins over a node name, unless it is empty: then it counts only when there is no node name. */
function selectionOf(model: LeafModel): Selection {
  const { labelSelector: selector, nodeName: memberNodeName = '' } = model.nodeSelector ?? {};
  if (selector !== undefined && !isEmptySelector(selector)) return { mode: 'party', selector };
  if (memberNodeName !== '') return { mode: 'node', memberNodeName };
  return selector === undefined ? { mode: 'all' } : { mode: 'party', selector };
}

function compileOne(clusterName: string, model: LeafModel, index: number, problems: string[]): VirtualNodeSpec {
  const path = `${PATH}[${index}]`;
  const { leafNodeName = '', labels = {} } = model;
  const selection = selectionOf(model);
  const taints = compileTaints(model.taints, `${path}.taints`, problems);
  problems.push(...selectionProblems(selection, leafNodeName, index));
  const nodeName = nodeNameOf(selection, { clusterName, leafNodeName, index });
  problems.push(...labelProblems(labels, { clusterName, nodeName }, `${path}.labels`));
  return { ...selection, nodeName, labels, taints };
}

function selectionProblems(selection: Selection, leafNodeName: string, index: number): readonly string[] {
  const path = `${PATH}[${index}]`;
  switch (selection.mode) {
    case 'all':
      return [];
    case 'node': {
      const { memberNodeName: name } = selection;
      return isDnsSubdomain(name) ? [] : [`${path}.nodeSelector.nodeName: "${name}" is not the name of a node`];
    }
    case 'party':
      return [
        ...leafNameProblems(leafNodeName, index),
        ...labelSelectorProblems(selection.selector, `${path}.nodeSelector.labelSelector`),
      ];
  }
}

function leafNameProblems(leafNodeName: string, index: number): readonly string[] {
  const path = `${PATH}[${index}].leafNodeName`;
  if (leafNodeName === '') return [`${path}: is needed with a labelSelector`];
  const nodeName = partyNodeName(leafNodeName, index);
  return isDnsSubdomain(nodeName) ? [] : [`${path}: "${nodeName}" is not a valid name of a node`];
}

function nodeNameOf(
  selection: Selection,
  names: { readonly clusterName: string; readonly leafNodeName: string; readonly index: number },
): string {
  switch (selection.mode) {
    case 'all':
      return `${VIRTUAL_NODE_PREFIX}${names.clusterName}`;
    case 'node':
      return selection.memberNodeName;
    case 'party':
      return partyNodeName(names.leafNodeName, names.index);
  }
}

/** As Kosmos cuts it, except that a cut name never ends in a character that names must not end in. */
function partyNodeName(leafNodeName: string, index: number): string {
  return `${VIRTUAL_NODE_PREFIX}${leafNodeName}-${index}`.slice(0, MAX_NAME_LENGTH).replace(/[-.]+$/, '');
}

function labelProblems(
  labels: Labels,
  node: { readonly clusterName: string; readonly nodeName: string },
  path: string,
): readonly string[] {
  const own: Labels = {
    [NODE_LABEL]: 'true',
    [CLUSTER_LABEL]: node.clusterName,
    [HOSTNAME_LABEL]: node.nodeName,
    [EXCLUDE_LOAD_BALANCERS_LABEL]: 'true',
  };
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!isLabelKey(key)) return [`${path}: "${key}" is not a label key`];
    if (!isLabelValue(value)) return [`${path}[${key}]: "${value}" is not a label value`];
    if (Object.hasOwn(own, key) && own[key] !== value) return [`${path}[${key}]: is set by Kosmos`];
    return [];
  });
}

function compileTaints(taints: readonly Taint[] | undefined, path: string, problems: string[]): readonly Taint[] {
  if (taints === undefined) return [NODE_TAINT];
  const seen = new Set<string>();
  return taints.map((taint, index) => {
    const { key, value = '', effect } = taint;
    if (!isLabelKey(key)) problems.push(`${path}[${index}].key: "${key}" is not the key of a taint`);
    if (!isLabelValue(value)) problems.push(`${path}[${index}].value: "${value}" is not the value of a taint`);
    if (!EFFECTS.includes(effect)) {
      problems.push(`${path}[${index}].effect: "${effect}" is none of ${EFFECTS.join(', ')}`);
    }
    if (seen.has(`${key}:${effect}`)) problems.push(`${path}[${index}]: ${key}:${effect} is there twice`);
    seen.add(`${key}:${effect}`);
    return value === '' ? { key, effect } : { key, value, effect };
  });
}

/** Equal leaf names are fine in themselves, as in Kosmos: the index keeps the names of the nodes apart. */
function duplicateProblems(virtualNodes: readonly VirtualNodeSpec[]): readonly string[] {
  const problems: string[] = [];
  const firstWith = new Map<string, number>();
  virtualNodes.forEach(({ nodeName }, index) => {
    const first = firstWith.get(nodeName);
    if (first === undefined) firstWith.set(nodeName, index);
    else problems.push(`${PATH}[${index}]: its virtual node "${nodeName}" is already that of entry ${first}`);
  });
  return problems;
}
