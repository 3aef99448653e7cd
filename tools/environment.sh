# Sourced by the scripts beside it: where things are, and Bazel with its cache.
#
# Sets REPOSITORY (and goes there) and HYBRIDSERVE_BAZEL_CACHE, and defines
# run_bazel. Works whatever $HOME is.

REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$REPOSITORY"

# Bazel and pip want a home that they can write to.
if [[ -z "${HOME:-}" || ! -d "$HOME" || ! -w "$HOME" ]]; then
  HOME="$(getent passwd "$(id -u)" | cut -d: -f6)"
  if [[ -z "$HOME" || ! -d "$HOME" || ! -w "$HOME" ]]; then
    HOME="${TMPDIR:-/tmp}/hybridserve-home-$(id -u)"
    mkdir -p "$HOME"
  fi
  export HOME
fi

: "${HYBRIDSERVE_BAZEL_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/hybridserve/bazel}"
export HYBRIDSERVE_BAZEL_CACHE

# run_bazel COMMAND [ARGUMENT...]: Bazel with results kept across clean trees.
run_bazel() {
  local command="$1"
  shift
  /usr/bin/bazel "$command" --disk_cache="$HYBRIDSERVE_BAZEL_CACHE" "$@"
}

# Ends this tree's Bazel server where nothing is to be left behind.
stop_bazel_in_ci() {
  if [[ "${CI:-}" == "true" ]]; then
    /usr/bin/bazel shutdown > /dev/null 2>&1 || true
  fi
}
