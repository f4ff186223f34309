import type { PathRight, Right } from './right.js';

const READ = ['get', 'list', 'watch'];

/** What virtual nodes and their pods need in the whole host cluster. */
export const HOST_TREE_RIGHTS: readonly (Right | PathRight)[] = [
  {
    ...{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'create', 'patch', 'delete'] },
    why: 'keeps virtual nodes',
  },
  { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'], why: 'keeps the status of virtual nodes' },
  {
    ...{ apiGroups: [''], resources: ['pods'], verbs: [...READ, 'patch', 'delete'] },
    why: 'sends pods of virtual nodes to members, and removes them when they have ended there',
  },
  { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'], why: 'brings back the status of pods' },
  {
    ...{ apiGroups: [''], resources: ['services', 'configmaps', 'secrets'], verbs: READ },
    why: 'copies what pods refer to',
  },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'], why: 'knows which namespaces may be where' },
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get'], why: 'copies service accounts of pods' },
  { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'], why: 'tokens of pods, bound to them' },
  {
    ...{ apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: [...READ, 'patch'] },
    why: 'claims are served by members',
  },
  { apiGroups: [''], resources: ['persistentvolumeclaims/status'], verbs: ['patch'], why: 'brings back their status' },
  {
    ...{ apiGroups: [''], resources: ['persistentvolumes'], verbs: [...READ, 'create', 'patch', 'delete'] },
    why: "stand for members' volumes",
  },
  {
    ...{ apiGroups: ['storage.k8s.io'], resources: ['storageclasses', 'csidrivers'], verbs: ['list', 'watch'] },
    why: 'knows which volumes members make',
  },
  {
    ...{ apiGroups: ['storage.k8s.io'], resources: ['csidrivers'], verbs: ['create'] },
    why: 'says that nothing in the host can mount the volumes of members',
  },
  {
    ...{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    why: 'asks who uses the kubelet API',
  },
  {
    ...{ apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    why: 'asks whether they may',
  },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['certificatesigningrequests'],
    verbs: ['create', ...READ],
    why: 'serving certificates of the kubelet API',
  },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['certificatesigningrequests/approval'],
    verbs: ['update'],
    why: 'approves its own requests for them',
    when: 'kubelet.approveCertificates',
  },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['signers'],
    resourceNames: ['kubernetes.io/kubelet-serving'],
    verbs: ['approve'],
    why: 'approves its own requests for them',
    when: 'kubelet.approveCertificates',
  },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'],
    verbs: ['create', 'patch'],
    why: 'keeps DaemonSets off virtual nodes',
  },
  {
    apiGroups: ['apps'],
    resources: ['daemonsets'],
    verbs: ['list', 'watch', 'patch'],
    why: 'keeps DaemonSets off virtual nodes that were there before',
    when: 'excludeExistingDaemonsets',
  },
  {
    nonResourceURLs: ['/.well-known/openid-configuration', '/openid/v1/jwks'],
    verbs: ['get'],
    why: 'notices when the keys of tokens change',
  },
];
