/** An image by its parts. */
export interface ImageName {
  readonly repository: string;
  /** Empty when the name has none. */
  readonly tag: string;
}

/** The parts of `registry/repository:tag`. */
export function splitImage(name: string): ImageName {
  const colon = name.lastIndexOf(':');
  if (colon > name.lastIndexOf('/')) return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
  return { repository: name, tag: '' };
}
