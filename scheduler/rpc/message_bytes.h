#ifndef HYBRIDSERVE_SCHEDULER_RPC_MESSAGE_BYTES_H_
#define HYBRIDSERVE_SCHEDULER_RPC_MESSAGE_BYTES_H_

#include "absl/status/status.h"
#include "grpcpp/support/byte_buffer.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace hybridserve {

// Parses a request. gRPC's own parsing would answer INTERNAL, without a
// reason, to text that is not UTF-8; this is InvalidArgument, naming the field
// and the offset of the first bad byte in it. Other bytes that are no such
// message: InvalidArgument as well; and so are more fields than any request
// has, before memory is taken for them.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes,
                          google::protobuf::Message& message);

// The bytes of a response.
grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_MESSAGE_BYTES_H_
