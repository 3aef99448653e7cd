#include <openssl/evp.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/random/random.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "rapidcheck.h"

ABSL_FLAG(int, link_test_flag, 7, "Proves that flags register.");

namespace hybridserve {
namespace {

TEST(BaseLinkTest, Absl) {
  absl::flat_hash_map<std::string, int> map = {{"a", 1}};
  EXPECT_EQ(map.at("a"), 1);
  EXPECT_NE(absl::FindCommandLineFlag("link_test_flag"), nullptr);
  EXPECT_EQ(absl::GetFlag(FLAGS_link_test_flag), 7);
  EXPECT_EQ(absl::StrFormat("%d%s", 1, absl::StrCat("x", 2)), "1x2");
  EXPECT_EQ(absl::FormatDuration(absl::Milliseconds(1500)), "1.5s");
  EXPECT_EQ(absl::Cord("cord").size(), 4);
  absl::BitGen bits;
  EXPECT_LT(absl::Uniform(bits, 0, 3), 3);
  absl::Notification done;
  std::thread thread([&done] { done.Notify(); });
  done.WaitForNotification();
  thread.join();
}

TEST(BaseLinkDeathTest, GlogCheckPrintsItsValues) {
  const int two = 2;
  EXPECT_DEATH(CHECK_EQ(two, 3), "Check failed: two == 3 \\(2 vs. 3\\)");
}

TEST(BaseLinkTest, JsonRefusesWithoutThrowing) {
  EXPECT_TRUE(nlohmann::json::parse("{", nullptr, false).is_discarded());
  EXPECT_EQ(nlohmann::json::parse("[1]", nullptr, false).at(0), 1);
}

TEST(BaseLinkTest, OpenSslHashesSha256) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ASSERT_EQ(EVP_Digest("abc", 3, digest, &size, EVP_sha256(), /*impl=*/nullptr),
            1);
  EXPECT_EQ(absl::BytesToHexString(
                absl::string_view(reinterpret_cast<const char*>(digest), size)),
            "ba7816bf8f01cfea414140de5dae2223"
            "b00361a396177a9cb410ff61f20015ad");
}

TEST(BaseLinkTest, PrometheusExposesARegistry) {
  prometheus::Exposer exposer("127.0.0.1:0", /*num_threads=*/1);
  EXPECT_GT(exposer.GetListeningPorts().at(0), 0);
  auto registry = std::make_shared<prometheus::Registry>();
  exposer.RegisterCollectable(registry);
  prometheus::BuildCounter()
      .Name("tests")
      .Register(*registry)
      .Add({})
      .Increment();
  EXPECT_EQ(registry->Collect().size(), 1);
}

TEST(BaseLinkTest, RapidCheckFindsAndMissesCounterexamples) {
  EXPECT_TRUE(rc::check("reversing twice", [](std::vector<int> values) {
    const std::vector<int> before = values;
    std::reverse(values.begin(), values.end());
    std::reverse(values.begin(), values.end());
    RC_ASSERT(values == before);
  }));
}

}  // namespace
}  // namespace hybridserve
