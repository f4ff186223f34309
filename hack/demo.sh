#!/usr/bin/env bash
# Shows the product's main job on real clusters: hack/demo.sh [up|light|down|status], by default up. With light, nodes are
# played, and the manager is a process of this machine, which takes seconds.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command=${1:-up}
case "$command" in
  up | light | down | status) ;;
  *) fail "unknown command \"$command\"; choose one of up, light, down, status" ;;
esac
require_root "$@"
ensure_node_modules
if [ "$command" = up ] || [ "$command" = light ]; then
  ensure_debian_packages "${LAB_PACKAGES[@]}"
  [ "$command" = light ] || ensure_debian_packages "${FULL_LAB_PACKAGES[@]}"
  ensure_go
  ensure_build
elif [ ! -f "$REPOSITORY/dist/hack/demo/main.js" ]; then
  ensure_build
fi
cd "$REPOSITORY"
exec node --enable-source-maps dist/hack/demo/main.js "$command"
