#!/bin/bash
# Runs clang-tidy, as Bazel actions: what passed once is not checked again.
#
#   tools/lint.sh             every target
#   tools/lint.sh --changed   targets whose files differ from the last commit's
#                             parent, or from the commit in HYBRIDSERVE_LINT_BASE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# Names changed C++ files, those not in git yet included.
changed_files() {
  local base="${HYBRIDSERVE_LINT_BASE:-HEAD~1}"
  if ! git rev-parse --quiet --verify "$base^{commit}" > /dev/null; then
    base="$(git hash-object -t tree /dev/null)"  # A first commit: all of it.
  fi
  {
    git diff --name-only --diff-filter=d "$base"
    git ls-files --others --exclude-standard
  } | grep -E '\.(h|cc)$' | sort -u || true
}

# Names the targets that have any of the given files among their own.
targets_of() {
  local file sources=""
  for file in "$@"; do
    sources+=" $file"
  done
  # Files of no target make it exit with 3; any other failure counts.
  local status=0
  run_bazel query --keep_going --output=label \
    "kind('cc_.* rule', same_pkg_direct_rdeps(set($sources)))" 2> /dev/null ||
    status=$?
  (( status == 0 || status == 3 ))
}

if [[ "${1:-}" == "--changed" ]]; then
  mapfile -t files < <(changed_files)
  if (( ${#files[@]} == 0 )); then
    echo "lint: no C++ file has changed"
    exit 0
  fi
  found="$(targets_of "${files[@]}")"
  mapfile -t targets <<< "$found"
  if [[ -z "$found" ]]; then targets=(); fi
  if (( ${#targets[@]} == 0 )); then
    echo "lint: no target has the changed files: ${files[*]}"
    exit 0
  fi
  echo "lint: ${#files[@]} changed files in ${#targets[@]} targets"
else
  # By query, since the pattern //... leaves out what is tagged "manual".
  mapfile -t targets < <(
    run_bazel query --output=label 'kind("cc_.* rule", //...)' 2> /dev/null
  )
fi
run_bazel build --config=opt --keep_going --noshow_progress --verbose_failures=false \
  --aspects=//tools:lint.bzl%clang_tidy --output_groups=tidy \
  --show_result=0 -- "${targets[@]}"
