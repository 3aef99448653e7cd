#ifndef HYBRIDSERVE_CLIENT_COMMANDS_COMMAND_H_
#define HYBRIDSERVE_CLIENT_COMMANDS_COMMAND_H_

namespace hybridserve {

// Exit codes (DESIGN.md 10).
constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

enum class OutputFormat { kText, kJson };

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMMANDS_COMMAND_H_
