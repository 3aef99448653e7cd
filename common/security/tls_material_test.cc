#include "common/security/tls_material.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_certificates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string PathOf(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Write(const std::string& name, const std::string& text) {
  std::ofstream(PathOf(name), std::ios::binary | std::ios::trunc) << text;
  return PathOf(name);
}

// That flag and path are named, and nothing of the file.
auto Refuses(const std::string& flag, const std::string& path) {
  return StatusIs(absl::StatusCode::kInvalidArgument,
                  AllOf(HasSubstr("--" + flag + ": "), HasSubstr(path),
                        Not(HasSubstr("PRIVATE KEY"))));
}

TEST(TlsMaterialTest, ReadsWhatIsNamed) {
  TlsFiles files = WriteTestCertificate(PathOf("server"));
  files.ca_file = WriteTestCertificate(PathOf("ca")).certificate_file;
  const auto material = ReadTlsMaterial(files);
  ASSERT_THAT(material, IsOk());
  EXPECT_EQ(material->certificate_chain, Read(files.certificate_file));
  EXPECT_EQ(material->key, Read(files.key_file));
  EXPECT_EQ(material->ca, Read(files.ca_file));
  EXPECT_GT(material->expires, absl::Now());
  EXPECT_LE(material->expires, absl::Now() + absl::Hours(1));

  const auto nothing = ReadTlsMaterial({});
  ASSERT_THAT(nothing, IsOk());
  EXPECT_EQ(nothing->certificate_chain + nothing->key + nothing->ca, "");
  EXPECT_EQ(nothing->expires, absl::InfiniteFuture());
}

TEST(TlsMaterialTest, AChainOfCertificatesIsFineAndABrokenOneIsNot) {
  TlsFiles files = WriteTestCertificate(PathOf("leaf"));
  const std::string leaf = Read(files.certificate_file);
  const std::string issuer =
      Read(WriteTestCertificate(PathOf("issuer")).certificate_file);
  files.certificate_file = Write("chain.crt", leaf + issuer);
  EXPECT_THAT(ReadTlsMaterial(files), IsOk());
  files.certificate_file =
      Write("torn.crt", leaf + issuer.substr(0, issuer.size() / 2));
  EXPECT_THAT(ReadTlsMaterial(files),
              Refuses("tls_certificate", files.certificate_file));
}

TEST(TlsMaterialTest, AnExpiredCertificateSaysSo) {
  const auto material =
      ReadTlsMaterial(WriteTestCertificate(PathOf("old"), absl::Minutes(-1)));
  ASSERT_THAT(material, IsOk());
  EXPECT_LT(material->expires, absl::Now());
}

TEST(TlsMaterialTest, BadFilesAreNamedByFlagAndPathAndNotQuoted) {
  const TlsFiles good = WriteTestCertificate(PathOf("good"));
  const TlsFiles other = WriteTestCertificate(PathOf("other"));
  const std::string garbage = Write("garbage", "no PEM at all\n");
  const std::string empty = Write("empty", "");

  TlsFiles files = good;
  files.key_file = other.key_file;
  EXPECT_THAT(ReadTlsMaterial(files), Refuses("tls_key", other.key_file));
  for (const std::string& bad :
       {garbage, empty, PathOf("missing"), good.certificate_file}) {
    files = good;
    files.key_file = bad;
    EXPECT_THAT(ReadTlsMaterial(files), Refuses("tls_key", bad));
  }
  for (const std::string& bad :
       {garbage, empty, PathOf("missing"), good.key_file}) {
    files = good;
    files.certificate_file = bad;
    EXPECT_THAT(ReadTlsMaterial(files), Refuses("tls_certificate", bad));
    files = good;
    files.ca_file = bad;
    EXPECT_THAT(ReadTlsMaterial(files), Refuses("tls_ca", bad));
  }
  EXPECT_THAT(
      ReadTlsMaterial({.key_file = good.key_file}),
      StatusIs(absl::StatusCode::kInvalidArgument, "--tls_certificate"));
}

}  // namespace
}  // namespace hybridserve
