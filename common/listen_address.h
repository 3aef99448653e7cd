#ifndef HYBRIDSERVE_COMMON_LISTEN_ADDRESS_H_
#define HYBRIDSERVE_COMMON_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// HOST:PORT as a flag gives it.
struct ListenAddress {
  std::string host;  // An IPv6 address without its brackets.
  int port = 0;      // 0..65535.

  // Nothing but this machine reaches it.
  bool is_loopback() const;
  // The same host with the port that was really taken.
  std::string WithPort(int real_port) const;
};

// InvalidArgument, for a person, if `text` is not HOST:PORT.
absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text);

// The same of a flag's value; the error names the flag.
absl::StatusOr<ListenAddress> ParseListenFlag(absl::string_view flag,
                                              const std::string& text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_LISTEN_ADDRESS_H_
