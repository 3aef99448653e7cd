#include "common/process_metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <ctime>
#include <map>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/version.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

std::map<std::string, double> Read() {
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : ProcessMetrics().Collect()) {
    EXPECT_EQ(family.metric.size(), 1) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    const prometheus::ClientMetric& metric = family.metric.at(0);
    values[family.name] = family.type == prometheus::MetricType::Counter
                              ? metric.counter.value
                              : metric.gauge.value;
  }
  return values;
}

TEST(ProcessMetricsTest, CountsOpenFilesAndThreads) {
  const auto before = Read();
  const int file = open("/dev/null", O_RDONLY);
  absl::Notification done;
  std::thread other([&] { done.WaitForNotification(); });
  const auto after = Read();
  done.Notify();
  other.join();
  close(file);
  EXPECT_EQ(after.at("process_open_fds"), before.at("process_open_fds") + 1);
  EXPECT_EQ(after.at("process_threads"), before.at("process_threads") + 1);
  EXPECT_GT(before.at("process_max_fds"), before.at("process_open_fds"));
}

TEST(ProcessMetricsTest, CountsMemoryAsItIsTouched) {
  const auto before = Read();
  const std::string block(64 << 20, 'x');
  const auto after = Read();
  EXPECT_GT(after.at("process_resident_memory_bytes"),
            before.at("process_resident_memory_bytes") +
                0.9 * static_cast<double>(block.size()));
  EXPECT_GE(after.at("process_virtual_memory_bytes"),
            after.at("process_resident_memory_bytes"));
}

TEST(ProcessMetricsTest, CpuTimeGoesOnWithTheProcesss) {
  while (std::clock() < CLOCKS_PER_SEC / 5) {
  }
  // In hundredths of a second.
  EXPECT_GT(Read().at("process_cpu_seconds_total"), 0.1);
}

TEST(ProcessMetricsTest, StartedNotLongAgo) {
  const absl::Duration age =
      absl::Now() - absl::FromUnixSeconds(static_cast<int64_t>(
                        Read().at("process_start_time_seconds")));
  EXPECT_GT(age, -absl::Seconds(5));
  EXPECT_LT(age, absl::Minutes(10));
}

TEST(ProcessMetricsTest, NamesTheBuild) {
  const prometheus::MetricFamily build = ProcessMetrics().Collect().at(0);
  EXPECT_EQ(build.name, "hybridserve_build_info");
  EXPECT_EQ(build.metric.at(0).label.at(0).value, Version());
  EXPECT_EQ(build.metric.at(0).label.at(1).value, BuildId());
}

}  // namespace
}  // namespace hybridserve
