#!/bin/bash
# Makes the Go code of proto/hybridserve/v1, by protoc, protoc-gen-go and
# protoc-gen-go-grpc of Debian 12.
#
#   client/go/generate.sh [DIR]    into DIR/v1; default: client/go
set -euo pipefail
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
out="$(realpath "${1:-$repository/client/go}")"
module="hybridserve/client/go"

cd "$repository/proto"
arguments=("--go_out=$out" "--go_opt=module=$module"
  "--go-grpc_out=$out" "--go-grpc_opt=module=$module")
for file in hybridserve/v1/*.proto; do
  # The .proto files say nothing of Go.
  arguments+=("--go_opt=M$file=$module/v1" "--go-grpc_opt=M$file=$module/v1")
done
protoc --proto_path=. "${arguments[@]}" hybridserve/v1/*.proto
