#ifndef HYBRIDSERVE_CLIENT_DOCTOR_FINDING_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_FINDING_H_

#include <string>

namespace hybridserve {

enum class Severity {
  kOk,
  kWarning,  // It works, but slower or less surely than it could.
  kProblem,  // What was asked about will not work.
};

// One thing that was looked at.
struct Finding {
  std::string check;  // "cpu limit": the same name whatever was found.
  Severity severity = Severity::kOk;
  std::string what;    // What was found, in one line.
  std::string advice;  // What to do about it, in one line. Empty if kOk.

  friend bool operator==(const Finding&, const Finding&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_FINDING_H_
