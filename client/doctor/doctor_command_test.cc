#include "client/doctor/doctor_command.h"

#include <sstream>
#include <vector>

#include "client/doctor/finding.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

const std::vector<Finding>& Findings() {
  static const auto* const findings = new std::vector<Finding>{
      {"clock", Severity::kOk, "tsc", ""},
      {"disk", Severity::kWarning, "1.00 MiB free in /\nb", "free some"},
      {"model", Severity::kProblem, "\xff", "mend it"}};
  return *findings;
}

TEST(DoctorCommandTest, TextHasALineForEachFindingAndAdvice) {
  EXPECT_EQ(FindingsToText(Findings()),
            "ok       clock: tsc\n"
            "warning  disk: 1.00 MiB free in / b\n"
            "         -> free some\n"
            "problem  model: \xff\n"
            "         -> mend it\n"
            "1 problems, 1 warnings\n");
}

TEST(DoctorCommandTest, JsonHasTheSame) {
  const nlohmann::json json = nlohmann::json::parse(FindingsToJson(Findings()));
  ASSERT_EQ(json["findings"].size(), 3);
  EXPECT_EQ(json["findings"][0], (nlohmann::json{{"check", "clock"},
                                                 {"severity", "ok"},
                                                 {"what", "tsc"},
                                                 {"advice", ""}}));
  EXPECT_EQ(json["findings"][2]["severity"], "problem");
  EXPECT_EQ(json["problems"], 1);
  EXPECT_EQ(json["warnings"], 1);
}

TEST(DoctorCommandTest, LooksAtThisMachine) {
  std::ostringstream out;
  const bool fine = RunDoctor({.format = OutputFormat::kJson}, out);
  const nlohmann::json json = nlohmann::json::parse(out.str());
  EXPECT_GT(json["findings"].size(), 10);
  EXPECT_EQ(json["problems"] == 0, fine);
}

}  // namespace
}  // namespace hybridserve
