#include "common/security/good_tls_files.h"

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/security/tls_material.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_certificates.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(CopyGoodTlsFilesTest, FollowsTheFilesUnlessTheyAreBad) {
  const std::string path = testing::TempDir() + "/followed";
  TlsFiles files = WriteTestCertificate(path);
  files.ca_file = files.certificate_file;
  const auto copies = CopyGoodTlsFiles(files);
  ASSERT_THAT(copies, IsOk());
  EXPECT_NE(copies->key_file, files.key_file);
  const std::string first = ReadTlsMaterial(*copies)->key;
  EXPECT_EQ(first, ReadTlsMaterial(files)->key);

  // Long enough for the watcher to take it, if it would.
  std::ofstream(files.key_file) << "no key";
  absl::SleepFor(absl::Seconds(4));
  ASSERT_THAT(ReadTlsMaterial(*copies), IsOk());
  EXPECT_EQ(ReadTlsMaterial(*copies)->key, first);
  EXPECT_EQ(CopyGoodTlsFiles(files)->key_file, copies->key_file);

  WriteTestCertificate(path);
  const std::string renewed = ReadTlsMaterial(files)->key;
  EXPECT_NE(renewed, first);
  for (;;) {  // The test's own time is the limit.
    const auto followed = ReadTlsMaterial(*copies);
    if (followed.ok() && followed->key == renewed) break;
    absl::SleepFor(absl::Milliseconds(50));
  }
}

TEST(CopyGoodTlsFilesTest, NamesOnlyWhatIsThere) {
  const TlsFiles pair = WriteTestCertificate(testing::TempDir() + "/pair");
  const TlsFiles ca = {.ca_file = pair.certificate_file};
  const auto copies = CopyGoodTlsFiles(ca);
  ASSERT_THAT(copies, IsOk());
  EXPECT_TRUE(copies->empty());
  EXPECT_EQ(ReadTlsMaterial(*copies)->ca, ReadTlsMaterial(ca)->ca);
  EXPECT_THAT(CopyGoodTlsFiles({.ca_file = pair.key_file}),
              StatusIs(absl::StatusCode::kInvalidArgument, "--tls_ca: "));
}

}  // namespace
}  // namespace hybridserve
