#include "common/sha256.h"

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// NIST's example values.
TEST(Sha256Test, MatchesThePublishedExamples) {
  EXPECT_EQ(Sha256Hex(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, DoesNotDependOnHowTheBytesArrive) {
  const std::string text(1000, 'x');
  for (const size_t piece : {1, 7, 64, 999}) {
    Sha256 hash;
    for (size_t i = 0; i < text.size(); i += piece) {
      hash.Update(absl::string_view(text).substr(i, piece));
    }
    EXPECT_EQ(hash.Hex(), Sha256Hex(text)) << piece;
  }
}

}  // namespace
}  // namespace hybridserve
