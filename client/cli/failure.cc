#include "client/cli/failure.h"

#include <iostream>
#include <string>

#include "client/commands/command.h"
#include "client/status_text.h"
#include "common/flag_error.h"
#include "common/program.h"

namespace hybridserve {

int Fail(int code, const absl::Status& status) {
  std::cerr << "hybridserve: "
            << (code == kExitUsage ? DescribeUsageError(status)
                                   : Describe(status))
            << std::endl;
  return code;
}

int End(const absl::Status& status) {
  if (status.ok()) return kExitDone;
  return Fail(IsUsageError(status) ? kExitUsage : kExitFailed, status);
}

}  // namespace hybridserve
