import { digestOf } from '../../src/kosmosctl/image/digest.js';
import { blobPath, layoutFiles } from '../../src/kosmosctl/image/layout.js';
import { MEDIA_TYPES } from '../../src/kosmosctl/image/manifest.js';

/** Where things are in the image; the manifests of the installation use the same. */
export const IMAGE_LAYOUT = {
  node: '/usr/local/bin/node',
  nft: '/usr/local/bin/nft',
  application: '/opt/kosmos',
} as const;

/** Neither root nor the user of anything else. */
export const IMAGE_USER = 65532;

/** One layer: a compressed tar archive. */
export interface Layer {
  readonly what: string;
  readonly tarDigest: string;
  readonly compressed: Buffer;
}

export interface ImageOptions {
  /** `registry/repository:tag`. */
  readonly name: string;
  readonly version: string;
  /** As Go calls it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly layers: readonly Layer[];
}

/** Files of the archive by path. */
export type ArchiveFiles = ReadonlyMap<string, Buffer>;

/** Images have no time of their own, so that two builds are the same. */
const EPOCH = '1970-01-01T00:00:00Z';

/** The configuration of the image (OCI image specification, config.md). */
export function imageConfig({ version, architecture, layers }: Omit<ImageOptions, 'name'>): unknown {
  return {
    created: EPOCH,
    architecture,
    os: 'linux',
    config: {
      User: `${IMAGE_USER}:${IMAGE_USER}`,
      Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
      Entrypoint: [IMAGE_LAYOUT.node],
      Cmd: [
        '--max-semi-space-size=8',
        '--heap-growing-percent=30',
        `${IMAGE_LAYOUT.application}/dist/src/bin/manager.js`,
      ],
      WorkingDir: IMAGE_LAYOUT.application,
      Labels: {
        'org.opencontainers.image.title': 'kosmos',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ tarDigest }) => tarDigest) },
    history: layers.map(({ what }) => ({ created: EPOCH, created_by: what })),
  };
}

/**
 * All files of an archive that is both an OCI image layout, for containerd and podman, and a docker archive, as
 * `docker save` writes it; both refer to the same blobs.
 */
export function archiveFiles(options: ImageOptions): ArchiveFiles {
  const { name, layers } = options;
  const files = new Map<string, Buffer>();
  const addBlob = (content: Buffer): { readonly digest: string; readonly size: number } => {
    const digest = digestOf(content);
    files.set(blobPath(digest), content);
    return { digest, size: content.length };
  };
  const addJson = (content: unknown): { readonly digest: string; readonly size: number } =>
    addBlob(Buffer.from(JSON.stringify(content)));
  const config = { mediaType: MEDIA_TYPES.config, ...addJson(imageConfig(options)) };
  const layerBlobs = layers.map(({ compressed }) => ({ mediaType: MEDIA_TYPES.layer, ...addBlob(compressed) }));
  const { manifest: mediaType } = MEDIA_TYPES;
  const manifest = addJson({ schemaVersion: 2, mediaType, config, layers: layerBlobs });
  return new Map([...files, ...layoutFiles(name, { mediaType, ...manifest }, { config, layers: layerBlobs })]);
}
