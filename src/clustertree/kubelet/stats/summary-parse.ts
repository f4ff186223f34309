import type { Summary } from '../../../apis/stats.js';

/** Reads kubelet's answer; undefined when it is no Summary. */
export function parseSummary(text: string): Summary | undefined {
  const value = parseJson(text);
  if (!isObject(value) || !isObject(value['node'])) return undefined;
  const pods = Array.isArray(value['pods']) ? value['pods'].filter(hasReference) : [];
  return { node: value['node'] as unknown as Summary['node'], pods: pods as Summary['pods'] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // It is no JSON, so it is no Summary either.
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasReference(pod: unknown): boolean {
  return isObject(pod) && isObject(pod['podRef']);
}
