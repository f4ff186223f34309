import { MEDIA_TYPES, type Descriptor, type ImageManifest } from './manifest.js';

/** Name of the file that says that the archive is an OCI image layout. */
export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
/** As containerd reads the whole name of an image. */
export const NAME_ANNOTATION = 'io.containerd.image.name';
const TAG_ANNOTATION = 'org.opencontainers.image.ref.name';

/** Path of a blob in an archive. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/**
 * What an archive has beside its blobs, so that it is both an OCI image layout, for containerd and podman, and a docker
 * archive, as `docker save` writes it; both refer to the same blobs.
 *
 * @param name - `registry/repository:tag`
 * @param manifest - descriptor of the manifest, which is one of the blobs
 */
export function layoutFiles(name: string, manifest: Descriptor, image: ImageManifest): ReadonlyMap<string, Buffer> {
  const annotations = { [NAME_ANNOTATION]: name, [TAG_ANNOTATION]: name.slice(name.lastIndexOf(':') + 1) };
  const { mediaType, digest, size } = manifest;
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: [{ mediaType, digest, size, annotations }],
  };
  const docker = [
    {
      Config: blobPath(image.config.digest),
      RepoTags: [name],
      Layers: image.layers.map((layer) => blobPath(layer.digest)),
    },
  ];
  return new Map([
    [LAYOUT_FILE, json({ imageLayoutVersion: '1.0.0' })],
    [INDEX_FILE, json(index)],
    ['manifest.json', json(docker)],
  ]);
}

/** The whole name that an archive gives an image; undefined when it gives none. */
export function nameOf({ annotations }: Descriptor): string | undefined {
  const name = annotations?.[NAME_ANNOTATION] ?? annotations?.[TAG_ANNOTATION];
  return name?.includes('/') === true ? name : undefined;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
