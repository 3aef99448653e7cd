#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <string>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TextLinkTest, IcuKnowsCategories) {
  EXPECT_EQ(u_charType(U'é'), U_LOWERCASE_LETTER);
  std::string text;
  icu::UnicodeString::fromUTF8("STRASSE").toLower().toUTF8String(text);
  EXPECT_EQ(text, "strasse");
}

TEST(TextLinkTest, Pcre2LooksAhead) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>("\\s+(?!\\S)"),
                    PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error, &offset, nullptr);
  ASSERT_NE(code, nullptr);
  pcre2_match_data* match = pcre2_match_data_create_from_pattern(code, nullptr);
  EXPECT_EQ(pcre2_match(code, reinterpret_cast<PCRE2_SPTR>("a   b"), 5, 0, 0,
                        match, nullptr),
            1);
  EXPECT_EQ(pcre2_get_ovector_pointer(match)[1], 3u);
  pcre2_match_data_free(match);
  pcre2_code_free(code);
}

}  // namespace
}  // namespace hybridserve
