#ifndef HYBRIDSERVE_CLIENT_TOP_TOP_COMMAND_H_
#define HYBRIDSERVE_CLIENT_TOP_TOP_COMMAND_H_

#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/commands/command.h"
#include "client/interrupt.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// Bounds of TopOptions::interval: those of ControlService.WatchLoad.
inline constexpr absl::Duration kMinTopInterval = absl::Milliseconds(100);
inline constexpr absl::Duration kMaxTopInterval = absl::Hours(1);

struct TopOptions {
  std::string server;                          // Named in the frames.
  absl::Duration interval = absl::Seconds(1);  // Between frames.
  bool once = false;                           // One frame, after one interval.
  OutputFormat format = OutputFormat::kText;   // JSON: an object a line.
};

// `hybridserve top`: what the server does, in frames that are drawn anew every
// interval: in place if `is_terminal`, else one after the other. Ctrl-C ends
// it: OK, with the terminal as it was before. The call's error otherwise.
absl::Status RunTop(const TopOptions& options,
                    std::shared_ptr<grpc::Channel> channel,
                    Interrupt& interrupt, bool is_terminal, std::ostream& out);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_TOP_TOP_COMMAND_H_
