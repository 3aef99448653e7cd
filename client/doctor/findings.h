#ifndef HYBRIDSERVE_CLIENT_DOCTOR_FINDINGS_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_FINDINGS_H_

#include <optional>
#include <string>
#include <vector>

#include "client/doctor/device_facts.h"
#include "client/doctor/finding.h"
#include "client/doctor/host_facts.h"
#include "client/doctor/work_facts.h"

namespace hybridserve {

// All that was looked at, and how it is to be used.
struct DoctorFacts {
  std::string device = "auto";  // --device
  int threads = 0;              // --threads; 0: all cores.
  HostFacts host;
  CpuPath cpu;
  CudaFacts cuda;
  std::vector<LinkFacts> links;
  DiskFacts disk;
  std::optional<ModelFacts> model;    // Where one was named.
  std::optional<ServerFacts> server;  // Likewise.
};

// What the facts mean for HybridServe: one finding for each thing looked at, in
// the order of reading. Pure.
std::vector<Finding> Diagnose(const DoctorFacts& facts);

// Parts of it.
std::vector<Finding> DiagnoseHost(const DoctorFacts& facts);
std::vector<Finding> DiagnoseDevices(const DoctorFacts& facts);
std::vector<Finding> DiagnoseWork(const DoctorFacts& facts);

// A problem if any finding is one, else a warning if any is one.
Severity Worst(const std::vector<Finding>& findings);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_FINDINGS_H_
