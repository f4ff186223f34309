#!/usr/bin/env bash
# Runs the tests: hack/test.sh [unit|integration|netns|e2e|all|soak], by default all (which leaves out soak).
# The last line is "N passed, N failed"; the exit code is 0 only if something ran and nothing failed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tier=${1:-all}
case "$tier" in
  unit | integration | netns | e2e | all | soak) ;;
  *) fail "unknown tests \"$tier\"; choose one of unit, integration, netns, e2e, all, soak" ;;
esac
require_root "$@"
ensure_node_modules
if [ "$tier" != unit ]; then
  ensure_debian_packages "${LAB_PACKAGES[@]}"
  [ "$tier" = integration ] || ensure_debian_packages "${FULL_LAB_PACKAGES[@]}"
  [ "$tier" != soak ] || ensure_debian_packages "${CONFORMANCE_PACKAGES[@]}"
  [ "$tier" = netns ] || ensure_go
fi
ensure_build
cd "$REPOSITORY"
exec node --enable-source-maps dist/hack/test/main.js "$tier"
