#include "worker/profile/profile_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string PathOf(const char* name) { return testing::TempDir() + name; }

SavedProfile Example() {
  SavedProfile saved = {.setting = "a machine"};
  saved.profile.fits[WorkKind::kWriteBack] = {
      .cost = {.fixed = absl::Microseconds(3),
               .seconds_per_unit = 1.25e-9,
               .r_squared = 0.5},
      .samples = {{1, absl::Microseconds(3)}, {1000, absl::Microseconds(4)}}};
  return saved;
}

TEST(ProfileFileTest, WhatIsSavedComesBack) {
  const std::string path = PathOf("profile.json");
  ASSERT_THAT(SaveProfile(Example(), path), IsOk());
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
  const SavedProfile back = LoadProfile(path).value();
  EXPECT_EQ(back.setting, "a machine");
  const WorkFit& fit = back.profile.fits[WorkKind::kWriteBack];
  EXPECT_EQ(fit.cost.fixed, absl::Microseconds(3));
  EXPECT_EQ(fit.cost.seconds_per_unit, 1.25e-9);
  EXPECT_EQ(fit.cost.r_squared, 0.5);
  ASSERT_EQ(fit.samples.size(), 2U);
  EXPECT_EQ(fit.samples[1].units, 1000);
  EXPECT_EQ(fit.samples[1].duration, absl::Microseconds(4));
  EXPECT_TRUE(back.profile.fits[WorkKind::kKv].samples.empty());
}

TEST(ProfileFileTest, WhatIsNoProfileIsRefusedByName) {
  EXPECT_THAT(LoadProfile(PathOf("missing")), StatusIs(StatusCode::kNotFound));
  const std::string path = PathOf("bad.json");
  const struct {
    const char* text;
    const char* says;
  } cases[] = {
      {"", "format"},
      {"[1, 2]", "format"},
      {R"({"format": 3})", "format"},
      {R"({"format": "hybridserve profile 1"})", "setting"},
      {R"({"format": "hybridserve profile 1", "setting": "", "costs": 1})",
       "costs"},
      {R"({"format": "hybridserve profile 1", "setting": "",
           "costs": {"KV": 1}})",
       "cost"},
      {R"({"format": "hybridserve profile 1", "setting": "",
           "costs": {"KV": {"fixed_s": -1}}})",
       "fixed_s"},
      {R"({"format": "hybridserve profile 1", "setting": "",
           "costs": {"KV": {"fixed_s": 0, "s_per_unit": 1, "r_squared": 1,
                            "samples": [{"units": "x"}]}}})",
       "units"},
  };
  for (const auto& [text, says] : cases) {
    std::ofstream(path, std::ios::trunc) << text;
    EXPECT_THAT(LoadProfile(path),
                StatusIs(StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(path), HasSubstr(says))))
        << text;
  }
}

TEST(ProfileFileTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_THAT(SaveProfile(Example(), PathOf("nowhere/profile.json")),
              StatusIs(StatusCode::kUnavailable, HasSubstr("nowhere")));
}

}  // namespace
}  // namespace hybridserve
