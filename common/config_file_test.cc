#include "common/config_file.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {

// For messages of failed tests.
static void PrintTo(const ConfigSetting& setting, std::ostream* out) {
  *out << setting.line << ": " << setting.name << "=" << setting.value;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ConfigFileTest, TakesFlagsCommentsAndBlankLines) {
  const auto settings = ParseConfigFile(
      "# A worker.\n"
      "\n"
      "model_dir = /srv/models/opt\n"
      "  threads=4\t\r\n"
      "\t# Not this:\n"
      "#device = cuda\n"
      "api_key_file = /etc/key#1 = old");
  ASSERT_THAT(settings, IsOk());
  EXPECT_THAT(
      *settings,
      ElementsAre(ConfigSetting{"model_dir", "/srv/models/opt", 3},
                  ConfigSetting{"threads", "4", 4},
                  ConfigSetting{"api_key_file", "/etc/key#1 = old", 7}));
}

TEST(ConfigFileTest, QuotesKeepSpacesAndMakeEmptyValues) {
  const auto settings = ParseConfigFile(
      "stop = \"  the end \"\n"
      "tls_ca = \"\"\n"
      "prompt = \"a \"quoted\" word\"\n"
      "policy = kv\"\n");
  ASSERT_THAT(settings, IsOk());
  EXPECT_THAT(*settings,
              ElementsAre(ConfigSetting{"stop", "  the end ", 1},
                          ConfigSetting{"tls_ca", "", 2},
                          ConfigSetting{"prompt", "a \"quoted\" word", 3},
                          ConfigSetting{"policy", "kv\"", 4}));
}

TEST(ConfigFileTest, NothingIsFine) {
  for (const char* text : {"", "\n", "# only a comment", "\n\n  \n"}) {
    const auto settings = ParseConfigFile(text);
    ASSERT_THAT(settings, IsOk());
    EXPECT_THAT(*settings, IsEmpty());
  }
}

TEST(ConfigFileTest, NamesTheLineThatIsWrong) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& wrong : std::vector<Case>{
           {"threads = 4\ninsecure\n", "2: \"insecure\": needs ="},
           {"= 4", "1: has no flag"},
           {"\n\n--threads=4", "3: \"--threads\": flags stand here"},
           {"threads =  \n", "1: threads: has no value"},
           {"stop = \"", "1: stop: lacks a closing quote"},
           {"stop = \"a", "1: stop: lacks a closing quote"},
       }) {
    EXPECT_THAT(ParseConfigFile(wrong.text),
                StatusIs(absl::StatusCode::kInvalidArgument, wrong.error))
        << wrong.text;
  }
}

}  // namespace
}  // namespace hybridserve
