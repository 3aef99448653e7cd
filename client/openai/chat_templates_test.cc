#include "client/openai/chat_templates.h"

#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A file whose template begins with `begin`.
std::string WriteTemplate(const std::string& begin) {
  std::string path = absl::StrCat(testing::TempDir(), "/", begin, ".tpl");
  std::ofstream(path) << begin << "{{#MESSAGES}}{{CONTENT}}{{/MESSAGES}}";
  return path;
}

// What a model makes of "x"; "none" without a template.
std::string ReadBy(const ChatTemplates& templates, const std::string& model) {
  const ChatTemplate* found = templates.Find(model);
  if (found == nullptr) return "none";
  return found->Render({{"user", "x"}}).value();
}

TEST(ChatTemplatesTest, EachModelHasItsOwn) {
  const std::string a = WriteTemplate("a");
  const std::string b = WriteTemplate("b");
  const std::string c = WriteTemplate("c");
  const auto none = ChatTemplates::Read("");
  ASSERT_THAT(none, IsOk());
  EXPECT_EQ(ReadBy(*none, "m"), "none");
  const auto all = ChatTemplates::Read(a);
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(ReadBy(*all, "m"), "ax");
  EXPECT_EQ(ReadBy(*all, ""), "ax");
  const auto two = ChatTemplates::Read(absl::StrCat("m=", a, ",org/n=", b));
  ASSERT_THAT(two, IsOk());
  EXPECT_EQ(ReadBy(*two, "m"), "ax");
  EXPECT_EQ(ReadBy(*two, "org/n"), "bx");
  EXPECT_EQ(ReadBy(*two, "o"), "none");
  EXPECT_EQ(ReadBy(*two, ""), "none");
  const auto three = ChatTemplates::Read(absl::StrCat(c, ",m=", a));
  ASSERT_THAT(three, IsOk());
  EXPECT_EQ(ReadBy(*three, "m"), "ax");
  EXPECT_EQ(ReadBy(*three, "o"), "cx");
}

TEST(ChatTemplatesTest, WhatIsNoListIsRefused) {
  const std::string a = WriteTemplate("a");
  const std::string of_m = absl::StrCat("m=", a);
  for (const auto& [flag, why] :
       {std::pair(absl::StrCat(a, ",", a), "two files for all other models"),
        std::pair(absl::StrCat(of_m, ",", of_m), "two files for m"),
        std::pair(absl::StrCat(a, ","), "neither FILE nor MODEL=FILE"),
        std::pair(absl::StrCat("=", a), "neither FILE nor MODEL=FILE"),
        std::pair(std::string("m="), "neither FILE nor MODEL=FILE"),
        std::pair(std::string("m=/does/not"), "cannot read /does/not")}) {
    SCOPED_TRACE(flag);
    EXPECT_THAT(ChatTemplates::Read(flag),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("--chat_template"), HasSubstr(why))));
  }
}

}  // namespace
}  // namespace hybridserve::openai
