#!/bin/bash
# Builds the Debian package hybridserve_VERSION_amd64.deb from Bazel's output, on
# Debian 12 with debhelper (tools/setup.sh). No root needed.
#
#   tools/build_deb.sh [--programs=ROOT] [FOLDER]
#
# FOLDER: where the package goes (default: here). ROOT: where the programs are,
# made; by default they are built now. $SOURCE_DATE_EPOCH dates the package
# (default: the last commit).
set -euo pipefail
here="$PWD"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

programs=
if [[ "${1:-}" == --programs=* ]]; then
  programs="$(cd "$here" && realpath "${1#--programs=}")"
  shift
fi
if (( $# > 1 )) || [[ "${1:-}" == -* ]]; then
  echo "usage: tools/build_deb.sh [--programs=ROOT] [FOLDER]" >&2
  exit 2
fi
output="$(cd "$here" && realpath "${1:-.}")"
version="$(cat VERSION)"
if ! command -v dh > /dev/null; then
  echo "build_deb: needs debhelper; run tools/setup.sh" >&2
  exit 1
fi
if [[ -z "$programs" ]]; then
  run_bazel build --config=opt //client:hybridserve \
    //client/openai:hybridserve-openai //scheduler //worker
  programs="$PWD/bazel-bin"
fi
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2> /dev/null || date +%s)}"
export SOURCE_DATE_EPOCH

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
stage="$scratch/hybridserve-$version"
mkdir -p "$stage"/{bin,completion,man}

# Links are followed: in a test everything is one.
cp -rL tools/debian "$stage/debian"
mv "$stage/debian/conf" "$stage/debian/units" "$stage/"
cp -L README.md THIRD_PARTY_NOTICES.md CHANGELOG.md "$stage/"
mkdir "$stage/docs" "$stage/models"
cp -L docs/*.md "$stage/docs/"
cp -rL models/demo "$stage/models/demo"

install -m 0755 "$programs/client/hybridserve" "$stage/bin/hybridserve"
install -m 0755 "$programs/scheduler/scheduler" \
  "$stage/bin/hybridserve-scheduler"
install -m 0755 "$programs/worker/worker" "$stage/bin/hybridserve-worker"
install -m 0755 "$programs/client/openai/hybridserve-openai" "$stage/bin/"

client="$stage/bin/hybridserve"
"$client" completion bash > "$stage/completion/hybridserve"
"$client" completion zsh > "$stage/completion/_hybridserve"
"$client" completion fish > "$stage/completion/hybridserve.fish"
/usr/bin/python3 tools/man_pages.py "$programs" "$stage/man" "$version" \
  "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)"

cat > "$stage/debian/changelog" << END
hybridserve ($version) unstable; urgency=medium

  * Release $version; what changed is in CHANGELOG.md.

 -- HybridServe <hybridserve@packages.debian.org>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
echo CHANGELOG.md >> "$stage/debian/hybridserve.docs"

if ! (cd "$stage" && dpkg-buildpackage --build=binary --no-sign) \
    > "$scratch/log" 2>&1; then
  cat "$scratch/log" >&2
  echo "build_deb: dpkg-buildpackage failed" >&2
  exit 1
fi
mkdir -p "$output"
cp "$scratch/hybridserve_${version}_amd64.deb" "$output/"
echo "$output/hybridserve_${version}_amd64.deb"
