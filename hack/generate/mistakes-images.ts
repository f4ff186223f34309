import { plain, row } from './mistake.js';

/** Images, archives and registries. */
export const IMAGES = {
  'bad-image-name': row(
    2,
    'a name that no image can have',
    'error: the image "…" is no name of an image',
    'Write for instance registry.example.com/kosmos:0.1.0',
  ),
  'no-archive': row(2, 'no archive to push', 'error: which archive is to be pushed?', 'Name its file.'),
  'no-target': row(
    2,
    'no registry to push to',
    'error: where is the image to go?',
    'Give one of --to and --private-registry.',
  ),
  'no-password': row(
    2,
    'a user of the registry without a password',
    'error: --username: where is the password?',
    'Add --password-stdin and send it there, or log in with docker.',
  ),
  'no-authority': plain(
    2,
    'an authority that is not there',
    "error: --certificate-authority: /nothing can't be read (ENOENT)",
    'Correct the path.',
  ),
  'archive-missing': row(
    1,
    'an archive that is not there',
    "error: the archive /nothing can't be read (ENOENT)",
    'Correct its path.',
  ),
  'no-image-inside': row(
    1,
    'an archive without an image',
    'error: … holds no OCI image',
    'Make it with "kosmosctl image pull", hack/image/build.sh, or another tool that writes OCI archives.',
  ),
  'archive-damaged': row(
    1,
    'an archive that was damaged on the way',
    'error: the archive … is damaged: sha256:… is not what it was',
    'Copy or make the archive again.',
  ),
  'unknown-tag': row(
    1,
    'an image that the registry does not have',
    'error: Look at …: there is no image …/kosmos:2',
    'Correct its name or its tag.',
  ),
  'other-platform': row(
    1,
    'a platform that there is no image for',
    'error: Look at …: … has no image for linux/riscv64',
    'Choose with --platform one of: …',
  ),
  'registry-unknown-user': row(
    1,
    'a registry that lets nobody in unknown',
    'the registry … wants to know who you are',
    'Add --username and --password-stdin, or log in first: docker login …',
  ),
  'registry-password': row(
    1,
    'a wrong password for the registry',
    "the registry … doesn't accept the password of robot",
    'Give the right --username and --password-stdin, or log in again with docker login.',
  ),
  'registry-no-tls': row(1, 'a registry without TLS', 'what answers at … speaks no TLS', 'Add --plain-http.'),
  'registry-authority': row(
    1,
    'a registry whose authority is not known',
    'the registry … shows a certificate that is not trusted: …',
    'Name the authority that has signed it with --certificate-authority.',
  ),
  'registry-away': row(
    1,
    'a registry that nobody listens at',
    "the registry … can't be reached: …",
    'Check its name and port, the network, and the variables HTTPS_PROXY and NO_PROXY.',
  ),
  'disk-full': row(
    1,
    'a disk without room for the image',
    'error: Fetch it into …: there is no room for … (ENOSPC)',
    'Free some there, or name a file on another disk with --output.',
  ),
} as const;
