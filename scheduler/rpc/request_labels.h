#ifndef HYBRIDSERVE_SCHEDULER_RPC_REQUEST_LABELS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_REQUEST_LABELS_H_

#include <string>

namespace hybridserve {

// What requests are told apart by when they are counted.
struct RequestLabels {
  std::string model;   // Its name, as workers serve it.
  std::string tenant;  // Empty: the common one.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_REQUEST_LABELS_H_
