const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DNS_SUBDOMAIN_LENGTH = 253;

/** Whether the text may name most cluster-scoped objects, for instance a node (RFC 1123 subdomain). */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= DNS_SUBDOMAIN_LENGTH && DNS_SUBDOMAIN.test(text);
}

/** Whether the text may name a namespace (RFC 1123 label). */
export function isDnsLabel(text: string): boolean {
  return DNS_LABEL.test(text);
}

/** Whether the text may be the key of a label, annotation or taint: `name` or `dns.prefix/name`. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return LABEL_NAME.test(text);
  return isDnsSubdomain(text.slice(0, slash)) && LABEL_NAME.test(text.slice(slash + 1));
}

/** Whether the text may be the value of a label or taint; it may be empty. */
export function isLabelValue(text: string): boolean {
  return text === '' || LABEL_NAME.test(text);
}
