#!/usr/bin/env bash
# Builds the container image hybridserve:VERSION from Bazel's output. Needs
# buildah, no container engine and no network.
#
#   k8s/build_image.sh [--rootfs_only] [TAG]
#
# --rootfs_only stops before buildah and prints the folder: what the image
# would hold.
set -euo pipefail
cd "$(dirname "$0")/.."

rootfs_only=false
if [[ "${1:-}" == "--rootfs_only" ]]; then
  rootfs_only=true
  shift
fi
tag="${1:-hybridserve:0.1.0}"

bin="${HYBRIDSERVE_BIN:-}"
if [[ -z "$bin" ]]; then
  bazel build --config=opt //scheduler:scheduler //worker:worker \
    //client:hybridserve
  bin=bazel-bin
fi

context="$(mktemp -d)"
$rootfs_only || trap 'rm -rf "$context"' EXIT
root="$context/rootfs"
mkdir -p "$root"/{opt/hybridserve/{bin,lib,models},tmp,etc,usr/bin,lib64}
chmod 1777 "$root/tmp"

for program in scheduler/scheduler worker/worker client/hybridserve; do
  install -m 0755 "$bin/$program" "$root/opt/hybridserve/bin/"
done
# The manifests' preStop hook runs `sleep`; no shell is needed.
install -m 0755 "$(command -v sleep)" "$root/usr/bin/sleep"

# Every library that a program names, and the loader at its fixed path.
ldd "$root"/opt/hybridserve/bin/* "$root/usr/bin/sleep" |
  awk '/=> \//{print $3}' | sort -u | while read -r library; do
  install -m 0755 "$library" "$root/opt/hybridserve/lib/"
done
loader="$(ldd "$root/opt/hybridserve/bin/worker" |
  awk '/ld-linux/{print $1}')"
install -D -m 0755 "$loader" "$root$loader"

cp -r models/demo "$root/opt/hybridserve/models/"
printf 'hybridserve:x:10001:10001::/opt/hybridserve:/sbin/nologin\n' \
  >"$root/etc/passwd"
if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
  install -D -m 0644 /etc/ssl/certs/ca-certificates.crt \
    "$root/etc/ssl/certs/ca-certificates.crt"
fi
cp LICENSE THIRD_PARTY_NOTICES.md "$root/opt/hybridserve/"

if $rootfs_only; then
  echo "$root"
  exit 0
fi
buildah bud --isolation=chroot --storage-driver=vfs --tag "$tag" \
  --file k8s/image/Containerfile "$context"
echo "built $tag"
