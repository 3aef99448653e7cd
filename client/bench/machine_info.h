#ifndef HYBRIDSERVE_CLIENT_BENCH_MACHINE_INFO_H_
#define HYBRIDSERVE_CLIENT_BENCH_MACHINE_INFO_H_

#include <cstdint>
#include <optional>
#include <string>

#include "hybridserve/v1/load.pb.h"

namespace hybridserve {

// Where and how figures were measured: without it they mean nothing.
struct MachineInfo {
  // Of the machine that this program runs on.
  std::string cpu;           // Model name.
  int64_t cores = 0;         // That the process may use.
  int64_t memory_bytes = 0;  // Of the machine.
  std::string date;          // UTC, ISO 8601.
  std::string command_line;  // Of this process.
  std::string version;
  std::string build_id;
  // Of the worker.
  std::string device;  // In words.
  std::string model;
  std::string dtype;
  std::optional<double> link_bytes_per_s;  // Measured; unset: one memory.
  bool paced_link = false;  // The link is a model of one (--link_bandwidth).
};

// Looks at this machine, now, and at what `worker` says of itself.
MachineInfo DescribeMachine(const v1::Worker& worker);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_MACHINE_INFO_H_
