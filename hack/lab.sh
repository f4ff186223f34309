#!/usr/bin/env bash
# Real Kubernetes clusters on this machine; see docs/lab.md, or: hack/lab.sh --help
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ensure_node_modules
if [ "${1:-}" = up ]; then
  require_root "$@"
  ensure_debian_packages "${LAB_PACKAGES[@]}"
  case " $* " in *" --full "*) ensure_debian_packages "${FULL_LAB_PACKAGES[@]}" ;; esac
  ensure_go
  ensure_build
elif [ ! -f "$REPOSITORY/dist/hack/lab/main.js" ]; then
  ensure_build
fi
exec node --enable-source-maps "$REPOSITORY/dist/hack/lab/main.js" "$@"
