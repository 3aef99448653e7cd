#include "scheduler/rpc/worker_directory.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class WorkerDirectoryTest : public testing::Test {
 protected:
  // The changes since the last call.
  std::vector<std::pair<std::string, bool>> Changes() {
    return std::exchange(changes_, {});
  }

  ConnectionId Register(const std::string& model, WorkerId worker) {
    const ConnectionId connection =
        directory_.Connect({.name = "w", .model = model});
    directory_.SetRegistered(connection, worker, {.model_name = model});
    return connection;
  }

  std::vector<std::pair<std::string, bool>> changes_;
  WorkerDirectory directory_{[this](const std::string& model, bool serving) {
    changes_.push_back({model, serving});
  }};
};

TEST_F(WorkerDirectoryTest, AModelIsHealthyFromItsFirstTokenOn) {
  const ConnectionId connection = Register("opt", WorkerId(1));
  EXPECT_THAT(Changes(),
              UnorderedElementsAre(Pair("", false), Pair("opt", false)));
  EXPECT_FALSE(directory_.IsReady(WorkerId(1)));
  EXPECT_FALSE(directory_.WaitUntilReady(absl::InfinitePast()));
  directory_.SetReady(connection);
  EXPECT_THAT(Changes(),
              UnorderedElementsAre(Pair("", true), Pair("opt", true)));
  EXPECT_TRUE(directory_.IsReady(WorkerId(1)));
  EXPECT_TRUE(directory_.WaitUntilReady(absl::InfinitePast()));
}

TEST_F(WorkerDirectoryTest, AModelIsHealthyWhileOneWorkerIsLeft) {
  const ConnectionId a = Register("opt", WorkerId(1));
  const ConnectionId b = Register("opt", WorkerId(2));
  const ConnectionId c = Register("gpt", WorkerId(3));
  directory_.SetReady(a);
  directory_.SetReady(b);
  directory_.SetReady(c);
  Changes();
  directory_.Disconnect(a);
  EXPECT_THAT(Changes(), IsEmpty());
  directory_.Disconnect(b);
  EXPECT_THAT(Changes(), ElementsAre(Pair("opt", false)));
  directory_.Disconnect(c);
  EXPECT_THAT(Changes(),
              UnorderedElementsAre(Pair("", false), Pair("gpt", false)));
}

TEST_F(WorkerDirectoryTest, AWorkerThatLeavesIsHealthyNoMore) {
  const ConnectionId leaving = Register("opt", WorkerId(1));
  directory_.SetReady(leaving);
  const ConnectionId other = Register("opt", WorkerId(2));
  directory_.SetReady(other);
  Changes();
  directory_.SetLeaving(leaving);
  EXPECT_THAT(Changes(), IsEmpty());
  directory_.Disconnect(other);
  EXPECT_THAT(Changes(),
              UnorderedElementsAre(Pair("", false), Pair("opt", false)));
  directory_.SetLeaving(other);  // It has gone meanwhile.
}

TEST_F(WorkerDirectoryTest, NothingIsHealthyWhileDraining) {
  const ConnectionId connection = Register("opt", WorkerId(1));
  directory_.SetReady(connection);
  Changes();
  directory_.Drain();
  EXPECT_THAT(Changes(),
              UnorderedElementsAre(Pair("", false), Pair("opt", false)));
  directory_.SetReady(Register("opt", WorkerId(2)));
  EXPECT_THAT(Changes(), IsEmpty());
  EXPECT_FALSE(directory_.WaitUntilReady(absl::InfiniteFuture()));
}

TEST_F(WorkerDirectoryTest, AWorkerIsLoadingUntilItRegisters) {
  const ConnectionId connection =
      directory_.Connect({.name = "w", .model = "opt"});
  directory_.SetProgress(connection, {.name = "w",
                                      .model = "opt",
                                      .stage = "loading",
                                      .loaded_bytes = 5,
                                      .total_bytes = 9});
  ASSERT_EQ(directory_.Loading().size(), 1u);
  EXPECT_EQ(directory_.Loading()[0].loaded_bytes, 5);
  directory_.SetRegistered(connection, WorkerId(7),
                           {.model_name = "opt", .layer_bytes = 123});
  EXPECT_THAT(directory_.Loading(), IsEmpty());
  ASSERT_TRUE(directory_.FindInfo(WorkerId(7)).has_value());
  EXPECT_EQ(directory_.FindInfo(WorkerId(7))->layer_bytes, 123);
  directory_.Disconnect(connection);
  EXPECT_FALSE(directory_.FindInfo(WorkerId(7)).has_value());
}

TEST_F(WorkerDirectoryTest, NewsOfAConnectionThatIsGoneAreIgnored) {
  const ConnectionId connection = directory_.Connect({.model = "opt"});
  directory_.Disconnect(connection);
  directory_.SetRegistered(connection, WorkerId(1), {.model_name = "opt"});
  directory_.SetReady(connection);
  EXPECT_FALSE(directory_.IsReady(WorkerId(1)));
}

}  // namespace
}  // namespace hybridserve
