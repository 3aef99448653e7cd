#ifndef HYBRIDSERVE_COMMON_TERMINATION_H_
#define HYBRIDSERVE_COMMON_TERMINATION_H_

#include <functional>

namespace hybridserve {

// Takes SIGTERM and SIGINT from all threads that start later: at the first one
// runs `on_first`, on a thread of its own, at the second ends the process at
// once with exit code 1. Call once, before other threads start; `on_first`
// stays valid until the process ends.
void HandleTermination(std::function<void()> on_first);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_TERMINATION_H_
