#include "common/file_watcher.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(5);
constexpr absl::Duration kSoon = absl::Seconds(60);

std::string PathOf(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

// Counts calls.
class Counter {
 public:
  void Add() {
    absl::MutexLock lock(&mutex_);
    ++calls_;
  }
  // False if it took too long.
  bool WaitFor(int calls) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return calls_ >= calls;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&reached), kSoon);
  }
  int calls() {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }

 private:
  absl::Mutex mutex_;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(FileWatcherTest, TellsOfEveryKindOfChange) {
  const std::string path = PathOf("kinds");
  std::filesystem::remove(path);
  Counter counter;
  FileWatcher watcher(kInterval);
  watcher.Watch({path}, [&] { counter.Add(); });

  Write(path, "made");
  ASSERT_TRUE(counter.WaitFor(1));
  Write(path, "and written again");
  ASSERT_TRUE(counter.WaitFor(2));
  Write(PathOf("other"), "and written again");
  ASSERT_EQ(std::rename(PathOf("other").c_str(), path.c_str()), 0);
  ASSERT_TRUE(counter.WaitFor(3));
  std::filesystem::remove(path);
  ASSERT_TRUE(counter.WaitFor(4));
}

TEST(FileWatcherTest, FollowsLinks) {
  const std::string link = PathOf("link");
  std::filesystem::remove(link);
  Write(PathOf("one"), "1");
  Write(PathOf("two"), "2");
  std::filesystem::create_symlink(PathOf("one"), link);
  Counter counter;
  FileWatcher watcher(kInterval);
  watcher.Watch({link}, [&] { counter.Add(); });
  // As Kubernetes does: a new link moved over the old one.
  std::filesystem::create_symlink(PathOf("two"), PathOf("link.new"));
  std::filesystem::rename(PathOf("link.new"), link);
  EXPECT_TRUE(counter.WaitFor(1));
}

TEST(FileWatcherTest, OneOfSeveralFilesIsEnoughAndOthersAreLeftAlone) {
  for (const char* name : {"key", "certificate", "stranger"}) {
    Write(PathOf(name), "");
  }
  Counter pair;
  Counter stranger;
  FileWatcher watcher(kInterval);
  watcher.Watch({PathOf("key"), PathOf("certificate")}, [&] { pair.Add(); });
  watcher.Watch({PathOf("stranger")}, [&] { stranger.Add(); });
  Write(PathOf("certificate"), "new");
  ASSERT_TRUE(pair.WaitFor(1));
  EXPECT_EQ(stranger.calls(), 0);
}

TEST(FileWatcherTest, NothingIsCalledAfterItsEnd) {
  const std::string path = PathOf("ended");
  Write(path, "");
  Counter counter;
  {
    FileWatcher watcher(kInterval);
    watcher.Watch({path}, [&] { counter.Add(); });
    Write(path, "new");
    ASSERT_TRUE(counter.WaitFor(1));
  }
  const int calls = counter.calls();
  Write(path, "newer");
  absl::SleepFor(10 * kInterval);
  EXPECT_EQ(counter.calls(), calls);
}

TEST(FileWatcherTest, WatchingNothingNeedsNoThread) {
  const FileWatcher watcher(absl::InfiniteDuration());
}

}  // namespace
}  // namespace hybridserve
