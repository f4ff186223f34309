#!/usr/bin/env bash
# Runs Kubernetes' own conformance specs on virtual nodes: hack/conformance.sh [node] [probes] [storage] [apps], by default
# all of them; see docs/conformance.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_root "$@"
ensure_node_modules
ensure_debian_packages "${LAB_PACKAGES[@]}" "${FULL_LAB_PACKAGES[@]}" "${CONFORMANCE_PACKAGES[@]}"
ensure_go
ensure_build
cd "$REPOSITORY"
exec node --enable-source-maps dist/hack/conformance/main.js "$@"
