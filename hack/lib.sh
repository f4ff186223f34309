# Helpers that the scripts of this folder share. Source it; it changes nothing by itself.

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The project's own Node first: the machine's may be older than what the project needs.
export PATH="$REPOSITORY/node_modules/.bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin"
# Node programs (tsc, npm) keep compiled code: with our cache, not in /tmp.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-${KOSMOS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kosmos}/node}"

# What a lab needs: for light clusters, in addition for full ones, and for the images of conformance specs.
LAB_PACKAGES=(iproute2 util-linux openssl)
FULL_LAB_PACKAGES=(runc containernetworking-plugins busybox-static nftables iptables conntrack procps gcc libc6-dev zsh)
CONFORMANCE_PACKAGES=(bash-static)

say() {
  printf '%s\n' "$*" >&2
}

fail() {
  say "error: $*"
  exit 1
}

require_root() {
  [ "$(id -u)" = 0 ] || fail "this needs root, because it makes network namespaces. Try: sudo $0 $*"
}

# Installs the named Debian packages that are missing.
ensure_debian_packages() {
  local name missing=()
  command -v dpkg-query >/dev/null || {
    say "this is no Debian system; make sure yourself that these are installed: $*"
    return 0
  }
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || fail "these Debian packages are missing, and only root can install them: ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  local install=(apt-get install -y --no-install-recommends "${missing[@]}")
  "${install[@]}" >/dev/null 2>&1 && return 0
  # The package lists may be missing or old.
  apt-get update >/dev/null 2>&1 || say "apt-get update failed; going on with the lists that are there"
  "${install[@]}" >&2 || fail "can't install these Debian packages: ${missing[*]}"
}

# Makes sure that there is a Go to build Kubernetes with. An old one is enough: it fetches the right one as a module.
ensure_go() {
  command -v go >/dev/null && return 0
  command -v apt-get >/dev/null || return 0
  (ensure_debian_packages golang-go) || say "no Go here; trying official release files instead"
}

ensure_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    ensure_debian_packages nodejs npm
  fi
}

# Tells whether node_modules has exactly what package-lock.json asks for, apart from optional packages.
node_modules_current() {
  [ -f "$REPOSITORY/node_modules/.package-lock.json" ] || return 1
  (cd "$REPOSITORY" && node -e '
    const read = (file) => JSON.parse(require("node:fs").readFileSync(file, "utf8")).packages;
    const [wanted, present] = [read("package-lock.json"), read("node_modules/.package-lock.json")];
    const outdated = Object.entries(wanted).filter(
      ([path, entry]) => path !== "" && !entry.optional && !entry.devOptional && !entry.peer && present[path]?.version !== entry.version,
    );
    process.exit(outdated.length === 0 ? 0 : 1);
  ')
}

# Installs the npm packages when they are missing or outdated.
ensure_node_modules() {
  ensure_node
  node_modules_current && return 0
  [ ! -L "$REPOSITORY/node_modules" ] || fail "node_modules is a link to a folder that is outdated; run npm ci there"
  say "installing npm packages"
  (cd "$REPOSITORY" && npm ci --no-progress --loglevel=error >&2) || fail "npm can't install the packages"
  local minimum=22.19 version
  version=$(node -p 'process.versions.node')
  printf '%s\n%s\n' "$minimum" "$version" | sort -V -C || fail "Node $minimum or newer is needed, this is $version; see https://nodejs.org"
}

# Compiles everything that has changed.
ensure_build() {
  (cd "$REPOSITORY" && npx --no-install tsc --build >&2) || fail "the code doesn't compile"
}
