#include "client/doctor/findings.h"

#include <algorithm>

namespace hybridserve {

std::vector<Finding> Diagnose(const DoctorFacts& facts) {
  std::vector<Finding> findings = DiagnoseHost(facts);
  for (const auto& more : {DiagnoseDevices(facts), DiagnoseWork(facts)}) {
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

Severity Worst(const std::vector<Finding>& findings) {
  Severity worst = Severity::kOk;
  for (const Finding& finding : findings) {
    worst = std::max(worst, finding.severity);
  }
  return worst;
}

}  // namespace hybridserve
