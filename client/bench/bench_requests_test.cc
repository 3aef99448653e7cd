#include "client/bench/bench_requests.h"

#include <cstdint>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

v1::Model SmallModel() {
  v1::Model model;
  model.set_name("small");
  model.mutable_shape()->set_vocab_size(6);
  model.mutable_limits()->set_max_sequence_tokens(100);
  model.set_bos_token_id(0);
  model.add_eos_token_ids(2);
  model.add_eos_token_ids(5);
  return model;
}

TEST(MakeBenchRequestsTest, DrawsOrdinaryIdsOfTheVocabulary) {
  const auto requests = MakeBenchRequests(
      SmallModel(), {.batch = 3, .prompt_tokens = 60, .output_tokens = 40});
  ASSERT_TRUE(requests.ok()) << requests.status();
  ASSERT_EQ(requests->size(), 3);
  std::set<uint32_t> seen;
  for (const v1::GenerateStreamRequest& request : *requests) {
    EXPECT_EQ(request.model(), "small");
    EXPECT_EQ(request.token_ids().ids_size(), 60);
    EXPECT_EQ(request.stopping().max_tokens(), 40);
    EXPECT_TRUE(request.stopping().ignore_eos());
    seen.insert(request.token_ids().ids().begin(),
                request.token_ids().ids().end());
  }
  EXPECT_EQ(seen, (std::set<uint32_t>{1, 3, 4}));
}

TEST(MakeBenchRequestsTest, RepeatsForASeedAndDiffersByIt) {
  const auto draw = [](uint64_t seed) {
    return (*MakeBenchRequests(
        SmallModel(),
        {.batch = 1, .prompt_tokens = 50, .output_tokens = 1, .seed = seed}))[0]
        .SerializeAsString();
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(MakeBenchRequestsTest, GivesTheFirstTheLead) {
  const auto requests = MakeBenchRequests(
      SmallModel(),
      {.batch = 3, .prompt_tokens = 60, .output_tokens = 5, .lead_tokens = 40});
  ASSERT_TRUE(requests.ok()) << requests.status();
  std::vector<int64_t> prompts;
  std::vector<int64_t> outputs;
  for (const v1::GenerateStreamRequest& request : *requests) {
    prompts.push_back(request.token_ids().ids_size());
    outputs.push_back(request.stopping().max_tokens());
  }
  EXPECT_EQ(prompts, (std::vector<int64_t>{20, 40, 60}));
  EXPECT_EQ(outputs, (std::vector<int64_t>{45, 25, 5}));
}

TEST(MakeBenchRequestsTest, RefusesMoreThanTheModelTakes) {
  const auto requests = MakeBenchRequests(
      SmallModel(), {.batch = 1, .prompt_tokens = 61, .output_tokens = 40});
  EXPECT_TRUE(absl::IsInvalidArgument(requests.status()));
  EXPECT_NE(requests.status().message().find("--prompt_tokens"),
            std::string::npos);
}

}  // namespace
}  // namespace hybridserve
