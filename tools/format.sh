#!/bin/bash
# Formats C++, CUDA and proto files with clang-format.
#
#   tools/format.sh [FILE...]           all files known to git, or these
#   tools/format.sh --check [FILE...]   changes nothing; 1 if it would, with why
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

action=(-i)
if [[ "${1:-}" == "--check" ]]; then
  action=(--dry-run -Werror)
  shift
fi
if (( $# > 0 )); then
  files=("$@")
else
  mapfile -t files < <(
    git ls-files --cached --others --exclude-standard -- \
      '*.h' '*.cc' '*.cu' '*.cuh' '*.proto' |
      while read -r file; do [[ -e "$file" ]] && echo "$file"; done
  )
fi
clang-format --style=file "${action[@]}" "${files[@]}"
