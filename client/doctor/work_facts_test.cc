#include "client/doctor/work_facts.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/dtype.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

WorkerOptions Options() {
  WorkerOptions options;
  options.model_dir = "models/demo";
  options.device = "cpu";
  options.dtype = DType::kFloat32;
  options.max_running = 2;
  return options;
}

TEST(ModelFactsTest, AModelThatFitsSaysWhatItTakes) {
  const ModelFacts facts = ReadModelFacts(Options());
  ASSERT_THAT(facts.status, IsOk());
  EXPECT_EQ(facts.name, "demo");
  EXPECT_EQ(facts.dtype, "float32");
  EXPECT_FALSE(facts.pins_host_memory);
  EXPECT_GT(facts.host_bytes, 0);
  EXPECT_EQ(facts.device_bytes, 0);
  EXPECT_GT(facts.cache_tokens, 0);
}

TEST(ModelFactsTest, AModelledDeviceTakesMemoryOfItsOwn) {
  WorkerOptions options = Options();
  options.device_memory = MemorySetting::Min();
  const ModelFacts facts = ReadModelFacts(options);
  ASSERT_THAT(facts.status, IsOk());
  EXPECT_GT(facts.device_bytes, 0);
  EXPECT_GT(facts.host_bytes, facts.device_bytes);
}

TEST(ModelFactsTest, AModelThatDoesNotFitSaysWhatWould) {
  WorkerOptions options = Options();
  options.device_memory = MemorySetting::Bytes(1000);
  EXPECT_THAT(ReadModelFacts(options).status,
              StatusIs(absl::StatusCode::kResourceExhausted, "device_memory"));
}

TEST(ModelFactsTest, AFolderThatIsNoneIsNamed) {
  WorkerOptions options = Options();
  options.model_dir = "/no/such/model";
  const ModelFacts facts = ReadModelFacts(options);
  EXPECT_EQ(facts.folder, "/no/such/model");
  EXPECT_THAT(facts.status,
              StatusIs(absl::StatusCode::kNotFound, "/no/such/model"));
}

TEST(DiskFactsTest, LooksAtTheFolderOfTheFile) {
  const std::string folder = testing::TempDir();
  const DiskFacts facts = ReadDiskFacts(folder + "/out.jsonl");
  EXPECT_THAT(facts.status, IsOk());
  EXPECT_GT(facts.free_bytes, 0);
  EXPECT_EQ(std::filesystem::path(facts.folder),
            std::filesystem::path(folder + "/").parent_path());
  EXPECT_EQ(ReadDiskFacts("out.jsonl").folder,
            std::filesystem::current_path() / "");
  EXPECT_THAT(ReadDiskFacts("/no/such/folder/out.jsonl").status,
              StatusIs(absl::StatusCode::kNotFound));
}

TEST(ServerFactsTest, AChannelThatIsNoneIsTheStatus) {
  const ServerFacts facts =
      ReadServerFacts("nowhere", absl::InvalidArgumentError("--server: is odd"),
                      absl::Seconds(1));
  EXPECT_THAT(facts.status,
              StatusIs(absl::StatusCode::kInvalidArgument, "--server"));
  EXPECT_FALSE(facts.serving);
}

}  // namespace
}  // namespace hybridserve
