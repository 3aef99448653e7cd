#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_COMMAND_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_COMMAND_H_

#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "client/bench/bench_runner.h"
#include "client/commands/command.h"
#include "grpcpp/channel.h"

namespace hybridserve {

struct BenchCommandOptions {
  BenchOptions bench;
  std::string json_file;  // Empty: none. Likewise below.
  std::string svg_file;
  OutputFormat format = OutputFormat::kText;  // On stdout.
};

// `hybridserve bench`: measures policies against each other and prints the
// medians as tables, or as JSON; writes the files that are asked for.
// Progress goes to stderr.
absl::Status RunBench(const BenchCommandOptions& options,
                      const OpenPolicy& open, std::ostream& out);

// The same with a server as it is: its own policy is the only one.
// `options.bench.policies` does not count.
absl::Status RunBenchOnServer(BenchCommandOptions options,
                              std::shared_ptr<grpc::Channel> channel,
                              std::ostream& out);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_COMMAND_H_
