import type { ErrorCode } from '../../src/lib/errors.js';

/** What each error code means and what to do about it; the type makes sure that none is missing. */
const ERRORS: Readonly<Record<ErrorCode, { readonly meaning: string; readonly cure: string }>> = {
  CONFIG_INVALID: {
    meaning: 'Options of a program are wrong; the message lists all problems.',
    cure: 'Correct the flags, variables or file that it names.',
  },
  KUBECONFIG_INVALID: {
    meaning: 'A kubeconfig is missing or can not be used; the message lists the fields.',
    cure: 'Correct it in the Cluster, in its Secret, or in the file.',
  },
  CREDENTIAL_FAILED: {
    meaning: 'A credential could not be had: a token file, a program, or an OIDC provider failed.',
    cure: 'The message says which one and why. It is tried again.',
  },
  API_ERROR: {
    meaning: "An API server answered with a failure; the message is the server's own.",
    cure: 'Usually rights, quota or admission in that cluster.',
  },
  API_UNREACHABLE: {
    meaning: 'An API server could not be reached, or the connection broke.',
    cure: 'Check address, network and certificates. It is tried again.',
  },
  API_TIMEOUT: {
    meaning: 'An API server did not answer in time.',
    cure: 'Check its load and the network. It is tried again.',
  },
  WATCH_BROKEN: {
    meaning: 'A watch was silent for too long or carried something that is no JSON.',
    cure: 'None needed; it is opened again and nothing is lost.',
  },
  NOT_LEADER: {
    meaning: 'A write was stopped because another replica leads, or is about to.',
    cure: 'None needed.',
  },
  CLUSTER_INVALID: {
    meaning: 'A Cluster object is wrong; the message lists all fields.',
    cure: 'Edit the Cluster; its condition `Ready` says the same.',
  },
  POD_REFUSED: {
    meaning: 'A member turned a pod down. The host pod has an Event `MemberRefusedPod` with its words.',
    cure: 'Change the pod, or what the member allows. It is tried again.',
  },
  FOREIGN_OBJECT: {
    meaning: 'An object of that name belongs to somebody else and is left alone.',
    cure: 'Rename or remove one of the two.',
  },
  KERNEL_ERROR: {
    meaning:
      "The kernel of a node refused a change of its network, or can't be talked to; the message has its own words.",
    cure: 'The status of the NodeConfig says which objects; see docs/agent.md.',
  },
  INTERNAL: {
    meaning: 'Something that must not happen.',
    cure: 'Please report it with the log line.',
  },
};

/** The table of docs/reference/errors.md. */
export function renderErrorsTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { meaning, cure }]) => `| \`${code}\` | ${meaning} | ${cure} |`);
  return ['| Code | Meaning | What to do |', '|---|---|---|', ...rows, ''].join('\n');
}
