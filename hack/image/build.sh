#!/usr/bin/env bash
# Makes the OCI image of Kosmos as an archive that containerd, docker and podman import:
# hack/image/build.sh [--output FILE] [--image NAME:TAG]. Two builds of the same sources give the same bytes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

ensure_node_modules
ensure_debian_packages nftables
ensure_build
cd "$REPOSITORY"
exec node --enable-source-maps dist/hack/image/main.js "$@"
