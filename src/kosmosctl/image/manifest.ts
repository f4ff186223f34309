import { CliError } from '../failure.js';
import { isDigest } from './reference.js';

/** What something of an image is, how long, and its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** As in an index: `linux`, `amd64`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** One image for one platform. */
export interface ImageManifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Either one image, or a choice of them. */
export type ManifestDocument =
  | { readonly kind: 'image'; readonly mediaType: string; readonly image: ImageManifest }
  | { readonly kind: 'index'; readonly mediaType: string; readonly manifests: readonly Descriptor[] };

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker.distribution';

export const MEDIA_TYPES = {
  manifest: `${OCI}.manifest.v1+json`,
  index: `${OCI}.index.v1+json`,
  config: `${OCI}.config.v1+json`,
  layer: `${OCI}.layer.v1.tar+gzip`,
} as const;

/** What a registry may answer with when it is asked for a manifest. */
export const ACCEPTED: readonly string[] = [
  ...[MEDIA_TYPES.manifest, MEDIA_TYPES.index],
  ...[`${DOCKER}.manifest.v2+json`, `${DOCKER}.manifest.list.v2+json`],
];

/** A manifest is a few KiB; whatever is much longer is none. */
export const LONGEST_MANIFEST = 4 << 20;

/**
 * Reads a manifest.
 *
 * @param what - where it is from, for messages
 * @param mediaType - what it is said to be, where it doesn't say so itself
 * @throws CliError when it is none, or of a kind that nobody makes any more
 */
export function parseManifest(content: Buffer, what: string, mediaType: string | undefined): ManifestDocument {
  const raw = parseObject(content, what) as Raw<Document>;
  const type = typeof raw.mediaType === 'string' ? raw.mediaType : mediaType;
  if (Array.isArray(raw.manifests)) {
    const manifests = raw.manifests.map((entry: unknown) => descriptor(entry, what));
    return { kind: 'index', mediaType: type ?? MEDIA_TYPES.index, manifests };
  }
  if (!Array.isArray(raw.layers) || raw.config === undefined) {
    throw new CliError(`${what} is no manifest of an image that is understood (${type ?? 'of no type'})`, {
      cure: 'Make the image again with a current tool: OCI images and Docker images of schema 2 are.',
    });
  }
  const layers = raw.layers.map((entry: unknown) => descriptor(entry, what));
  return {
    ...{ kind: 'image', mediaType: type ?? MEDIA_TYPES.manifest },
    image: { config: descriptor(raw.config, what), layers },
  };
}

interface Document extends ImageManifest {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

/** JSON that has to be an object. @throws CliError */
export function parseObject(content: Buffer, what: string): object {
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch (error) {
    throw new CliError(`${what} is no JSON`, { cause: error });
  }
  if (!isObject(value)) throw new CliError(`${what} is no JSON object`);
  return value as object;
}

/** Digests become paths and parts of URLs, and sizes limits: nothing else may stand in their place. */
function descriptor(entry: unknown, what: string): Descriptor {
  const { mediaType, digest, size, platform, annotations } = (entry ?? {}) as Raw<Descriptor>;
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw new CliError(`${what} names "${String(digest).slice(0, 80)}", which is no SHA-256 digest`);
  }
  if (!Number.isSafeInteger(size) || Number(size) < 0) throw new CliError(`${what} says no size for ${digest}`);
  return {
    ...{ mediaType: typeof mediaType === 'string' ? mediaType : '', digest, size: Number(size) },
    ...(isObject(platform) && { platform: platform as Platform }),
    ...(isObject(annotations) && { annotations: annotations as Record<string, string> }),
  };
}

/** The same fields, with whatever is in them. */
type Raw<T> = { readonly [K in keyof T]?: unknown };

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** All that an image is made of, once each, in the order in which it is best fetched. */
export function blobsOf({ config, layers }: ImageManifest): readonly Descriptor[] {
  const blobs = new Map([...layers, config].map((blob) => [blob.digest, blob]));
  return [...blobs.values()];
}
