import { Option, type Command } from 'commander';
import { pullImage } from '../commands/image-pull.js';
import { pushImage } from '../commands/image-push.js';
import type { CliContext } from '../context.js';
import { usageError } from '../failure.js';
import type { AccessFlags } from '../image/access.js';
import type { Platform } from '../image/manifest.js';
import { parsePlatform, platformOf } from '../image/platform.js';
import { isDigest, parseReference, type ImageReference } from '../image/reference.js';
import { booleanFlag, stringFlag, type Flags } from './options.js';

const PULL_EXAMPLES = `
Examples:
  # Fetch an image for nodes with ARM processors, to carry it to a site without network
  kosmosctl image pull registry.example.com/kosmos:0.1.0 --platform linux/arm64 --output kosmos.tar

  # Who may read it is asked as docker does; or say it yourself
  kosmosctl image pull registry.example.com/kosmos:0.1.0 --username robot --password-stdin < password
`;

const PUSH_EXAMPLES = `
Examples:
  # Bring it to the registry of the site, and install from there
  kosmosctl image push kosmos.tar --to registry.site:5000/kosmos:0.1.0 --certificate-authority site-ca.pem
  kosmosctl install --image registry.site:5000/kosmos:0.1.0

  # Keep the last part of its name, and its tag, as Kosmos does
  kosmosctl image push kosmos.tar --private-registry registry.site:5000/mirror
`;

/** Adds `image pull` and `image push`, which need no container engine and no cluster. */
export function addImageCommands(program: Command, context: CliContext): void {
  const image = program.command('image').description('Carry the image to where nodes can pull it');
  addAccessFlags(image.command('pull'), 'pull')
    .description('Fetch an image from a registry into an archive')
    .argument('<image>', 'registry/repository:tag, or with @digest')
    .option(
      '-o, --output <file>',
      'the archive, or a folder for it (default: a file in this folder, named as the image)',
    )
    .addHelpText('after', PULL_EXAMPLES)
    .action((name: string, flags: Flags) =>
      pullImage(
        {
          image: referenceOf('the image', name),
          output: stringFlag(flags, 'output'),
          platform: platformFlag(flags),
          isPlatformNamed: flags['platform'] !== undefined,
          access: accessOf(flags),
        },
        context,
      ),
    );
  addAccessFlags(image.command('push'), 'push')
    .description('Bring the image of an archive to a registry')
    .argument('[archive]', 'OCI archive, of "image pull" or hack/image/build.sh; the same as --artifact')
    .option('-a, --artifact <file>', 'the archive, as Kosmos names it')
    .option('--to <image>', "registry/repository:tag (default tag: the archive's)")
    .option(
      '-r, --private-registry <registry>',
      'registry, with a path or without; the image keeps the last part of its name',
    )
    .addHelpText('after', PUSH_EXAMPLES)
    .action((archive: unknown, flags: Flags) =>
      pushImage(
        {
          archive: archiveOf(archive, flags),
          target: targetOf(flags),
          platform: platformFlag(flags),
          access: accessOf(flags),
        },
        context,
      ),
    );
}

function addAccessFlags(command: Command, verb: 'pull' | 'push'): Command {
  return command
    .addOption(
      new Option(
        '--platform <os/architecture>',
        `which image to ${verb}, where there are several (default: this machine's)`,
      ),
    )
    .option('-u, --username <name>', 'user of the registry (default: who is logged in by docker)')
    .option('--password-stdin', 'take the password from the standard input')
    .option(
      '--certificate-authority <file>',
      'PEM file with the authority that has signed the certificate of the registry',
    )
    .option('--plain-http', 'the registry speaks HTTP without TLS');
}

function accessOf(flags: Flags): AccessFlags {
  return {
    plainHttp: booleanFlag(flags, 'plainHttp'),
    certificateAuthority: stringFlag(flags, 'certificateAuthority'),
    username: stringFlag(flags, 'username'),
    passwordStdin: booleanFlag(flags, 'passwordStdin'),
  };
}

function platformFlag(flags: Flags): Platform {
  const text = stringFlag(flags, 'platform');
  return text === undefined ? platformOf(process.arch) : parsePlatform(text);
}

function referenceOf(what: string, text: string, defaultTag?: string): ImageReference {
  const found = parseReference(text, defaultTag);
  if (found !== undefined) return found;
  throw usageError(`${what} "${text}" is no name of an image`, 'Write for instance registry.example.com/kosmos:0.1.0');
}

function archiveOf(argument: unknown, flags: Flags): string {
  const flag = stringFlag(flags, 'artifact');
  const given = [argument, flag].filter((path) => typeof path === 'string');
  const [path] = given;
  if (path === undefined) throw usageError('which archive is to be pushed?', 'Name its file.');
  if (given.length > 1 && argument !== flag) {
    throw usageError(`there are two archives: ${given.join(' and ')}`, 'Give one of them.');
  }
  return path;
}

function targetOf(flags: Flags): (name: ImageReference | undefined) => ImageReference | undefined {
  const [to, registry] = ['to', 'privateRegistry'].map((name) => stringFlag(flags, name));
  if ((to === undefined) === (registry === undefined)) {
    throw usageError('where is the image to go?', 'Give one of --to and --private-registry.');
  }
  if (to !== undefined) {
    const whole = referenceOf('--to', to);
    if (isDigest(whole.reference)) throw usageError('--to: a digest is not chosen', 'Give it a tag.');
    return (name) => referenceOf('--to', to, name?.reference);
  }
  const prefix = (registry ?? '').replace(/\/$/, '');
  referenceOf('--private-registry', `${prefix}/image`);
  return (name) => {
    if (name === undefined) return undefined;
    const last = name.repository.slice(name.repository.lastIndexOf('/') + 1);
    return referenceOf('--private-registry', `${prefix}/${last}:${name.reference}`);
  };
}
