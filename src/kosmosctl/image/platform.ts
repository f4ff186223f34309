import { CliError, usageError } from '../failure.js';
import type { Descriptor, Platform } from './manifest.js';

/** Processors by Node's name, as Go and images have them. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** The platform of nodes that are like this machine. */
export function platformOf(arch: string): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[arch] ?? arch };
}

/** Reads `os/architecture[/variant]`. @throws CliError when it is something else */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture = '', variant, ...more] = text.split('/');
  if (![os, architecture, variant ?? 'v'].every((part) => /^\w+$/.test(part)) || more.length > 0) {
    throw usageError(`--platform ${text}: is no platform`, 'Write for instance linux/arm64.');
  }
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

export function renderPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** The image for a platform. @throws CliError that says which there are */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform, what: string): Descriptor {
  const images = manifests.filter(isImage);
  const found = images.find(({ platform }) => platform === undefined || fits(platform, wanted));
  if (found !== undefined) return found;
  const present = images.flatMap(({ platform }) => (platform === undefined ? [] : renderPlatform(platform)));
  throw new CliError(`${what} has no image for ${renderPlatform(wanted)}`, {
    cure: `Choose with --platform one of: ${present.join(', ')}`,
  });
}

/** What else is in an index, for instance how the image was built, is for no platform. */
function isImage({ platform }: Descriptor): boolean {
  return platform?.os !== 'unknown';
}

function fits(platform: Platform, wanted: Platform): boolean {
  const { os, architecture, variant } = wanted;
  return (
    platform.os === os &&
    platform.architecture === architecture &&
    (variant === undefined || platform.variant === variant)
  );
}
