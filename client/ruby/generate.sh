#!/bin/bash
# Makes the Ruby code of proto/hybridserve/v1, by protoc and grpc_ruby_plugin of
# Debian 12.
#
#   client/ruby/generate.sh [DIR]    into DIR/hybridserve/v1; default: client/ruby/lib
set -euo pipefail
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
out="$(realpath "${1:-$repository/client/ruby/lib}")"

cd "$repository/proto"
protoc --proto_path=. --ruby_out="$out" \
  --plugin=protoc-gen-grpc="$(command -v grpc_ruby_plugin)" \
  --grpc_out="$out" hybridserve/v1/*.proto
