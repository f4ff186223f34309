#!/usr/bin/env bash
# Shows the product's main job on real clusters: hack/demo.sh [up|full|down|status], by default up. With full, the
# clusters have real nodes, and kosmosctl installs Kosmos as pods.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command=${1:-up}
case "$command" in
  up | full | down | status) ;;
  *) fail "unknown command \"$command\"; choose one of up, full, down, status" ;;
esac
require_root "$@"
ensure_node_modules
if [ "$command" = up ] || [ "$command" = full ]; then
  ensure_debian_packages "${LAB_PACKAGES[@]}"
  [ "$command" = up ] || ensure_debian_packages "${FULL_LAB_PACKAGES[@]}"
  ensure_go
  ensure_build
elif [ ! -f "$REPOSITORY/dist/hack/demo/main.js" ]; then
  ensure_build
fi
cd "$REPOSITORY"
exec node --enable-source-maps dist/hack/demo/main.js "$command"
