#ifndef HYBRIDSERVE_SCHEDULER_RPC_AUTHENTICATOR_H_
#define HYBRIDSERVE_SCHEDULER_RPC_AUTHENTICATOR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace grpc {
class CallbackServerContext;
}  // namespace grpc

namespace hybridserve {

// Lets in the calls that carry one of some API keys.
//
// Thread-safe: immutable.
class Authenticator {
 public:
  // No keys: every call is let in.
  explicit Authenticator(const std::vector<std::string>& keys);

  // Unauthenticated unless the call's metadata has `authorization: Bearer KEY`
  // with one of the keys. Takes the same time whichever byte of a key is wrong.
  absl::Status Check(const grpc::CallbackServerContext& context) const;

 private:
  std::vector<std::string> digests_;  // SHA-256 of the keys.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_AUTHENTICATOR_H_
