import type { Event } from '../../apis/core.js';

/** When an Event was last seen, whichever of the two Event APIs wrote it; empty when it doesn't say. */
export function timeOf({ lastTimestamp, eventTime, metadata }: Event): string {
  return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
}

/** The oldest first. API servers list Events by their names, which say nothing about time. */
export function inOrder(list: readonly Event[]): readonly Event[] {
  return [...list].sort((one, other) => timeOf(one).localeCompare(timeOf(other)));
}
