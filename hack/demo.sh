#!/usr/bin/env bash
# Shows the product's main job on real clusters: hack/demo.sh [up|down|status], by default up.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command=${1:-up}
case "$command" in
  up | down | status) ;;
  *) fail "unknown command \"$command\"; choose one of up, down, status" ;;
esac
require_root "$@"
ensure_node_modules
if [ "$command" = up ]; then
  ensure_debian_packages "${LAB_PACKAGES[@]}"
  ensure_go
  ensure_build
elif [ ! -f "$REPOSITORY/dist/hack/demo/main.js" ]; then
  ensure_build
fi
cd "$REPOSITORY"
exec node --enable-source-maps dist/hack/demo/main.js "$command"
