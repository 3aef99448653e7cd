#include "client/top/top_text.h"

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A server with one worker under load.
TopView BusyView() {
  TopView view = {.elapsed_s = 1,
                  .running = 12,
                  .waiting = 345,
                  .waiting_tokens = 1'200'000,
                  .max_requests = 1024,
                  .max_tokens = 4'194'304,
                  .prompt_tokens_per_s = 512,
                  .generated_tokens_per_s = 1283.4,
                  .finished = {.total = 56'789, .more = 3},
                  .cancelled = {.total = 5},
                  .rejected = {.total = 2, .more = 2},
                  .preemptions = {.total = 7, .more = 1}};
  view.workers.push_back(
      {.id = 1,
       .name = "host/4711",
       .state = "ready",
       .device = "cpu",
       .model = "opt-30b",
       .running = 12,
       .link_busy = 0.81,
       .copy_out_busy = 0.08,
       .compute_busy = 0.625,
       .link = {.weight = 1 << 30, .act = 300 << 20, .write_back = 12 << 20},
       .prompt_tokens_per_s = 512,
       .generated_tokens_per_s = 1283.4,
       .step_s = 0.25,
       .predicted_step_s = 0.245,
       .preemptions = 7,
       .pools = {{.tier = "device"},
                 {.tier = "host",
                  .half_slots = 500,
                  .free = 125,
                  .cached = 25,
                  .kv_blocks = 125,
                  .act_blocks = 100}}});
  return view;
}

std::string Draw(const TopView& view, int width) {
  return absl::StrJoin(DrawTop(view, "127.0.0.1:50051", width), "\n");
}

// Of columns: every character here is one wide.
int WidthOf(const std::string& line) {
  int width = 0;
  for (const char c : line) width += (c & 0xc0) != 0x80;
  return width;
}

TEST(DrawBarTest, PartsFillTheirShares) {
  EXPECT_EQ(DrawBar({{1, "a"}, {2, "b"}}, 4, 8), "aabbbb··");
  EXPECT_EQ(DrawBar({{1, "a"}, {3, "b"}}, 4, 8), "aabbbbbb");
  EXPECT_EQ(DrawBar({}, 4, 3), "···");
  EXPECT_EQ(DrawBar({{1, "a"}}, 0, 3), "···");
  EXPECT_EQ(DrawBar({{9, "a"}, {9, "b"}}, 4, 3), "aaa");
  EXPECT_EQ(DrawBar({{1, "a"}}, 1, 0), "");
}

TEST(DrawBarTest, RoundingLosesNothing) {
  // A third each: 3.33 of 10 columns.
  EXPECT_EQ(DrawBar({{1, "a"}, {1, "b"}, {1, "c"}}, 3, 10), "aaabbbbccc");
}

TEST(TopTextTest, AWideFrame) {
  EXPECT_EQ(Draw(BusyView(), 120),
            R"(hybridserve top  127.0.0.1:50051  last 1.00 s
12 running, 345 waiting (1.2M tokens); tokens/s: 512.0 prompt, 1.3k generated
56.8k finished (+3), 5 cancelled, 0 failed, 2 refused (+2), 7 preemptions (+1), 0 replays
  queue    █████████████···························  34%  345 of 1024 requests, 1.2M of 4.2M tokens

worker 1  ready  host/4711  opt-30b on cpu
  12 running, step 250 ms (predicted 245 ms); tokens/s: 512.0 prompt, 1.3k generated; 7 preemptions
  link     ████████████████████████████████········  81%  weights 1.00 GiB/s, ACT 300 MiB/s
  compute  █████████████████████████···············  62%
  copy-out ███·····································   8%  12.0 MiB/s
  host     ████████████████████▒▒▒▒▒▒▒▒░░··········  70%  █ KV 125, ▒ ACT 100, 125 of 500 half-slots free)");
}

TEST(TopTextTest, ANarrowFrameIsCut) {
  EXPECT_EQ(Draw(BusyView(), 40),
            R"(hybridserve top  127.0.0.1:50051  last …
12 running, 345 waiting (1.2M tokens); …
56.8k finished (+3), 5 cancelled, 0 fai…
  queue    ███·····  34%  345 of 1024 r…

worker 1  ready  host/4711  opt-30b on …
  12 running, step 250 ms (predicted 24…
  link     ██████··  81%  weights 1.00 …
  compute  █████···  62%
  copy-out █·······   8%  12.0 MiB/s
  host     ████▒▒··  70%  █ KV 125, ▒ A…)");
}

TEST(TopTextTest, NoLineIsWiderThanAsked) {
  for (int width = 20; width < 200; width += 7) {
    for (const std::string& line : DrawTop(BusyView(), "server", width)) {
      EXPECT_LE(WidthOf(line), width) << line;
    }
  }
}

TEST(TopTextTest, AnIdleServerWithoutWorkers) {
  EXPECT_EQ(Draw({.elapsed_s = 0.5, .max_requests = 8, .max_tokens = 64}, 80),
            R"(hybridserve top  127.0.0.1:50051  last 500 ms
0 running, 0 waiting (0 tokens); tokens/s: 0.0 prompt, 0.0 generated
0 finished, 0 cancelled, 0 failed, 0 refused, 0 preemptions, 0 replays
  queue    ····························   0%  0 of 8 requests, 0 of 64 tokens

no worker has registered)");
}

TEST(TopTextTest, WorkersThatLoad) {
  const TopView view = {.elapsed_s = 1,
                        .loading = {{.name = "host/12",
                                     .model = "opt-30b",
                                     .stage = "loading weights",
                                     .loaded_bytes = int64_t{15} << 30,
                                     .total_bytes = int64_t{60} << 30},
                                    {.name = "host/13"}}};
  EXPECT_THAT(Draw(view, 80), HasSubstr(R"(
no worker has registered

loading   host/12  opt-30b  loading weights
  weights  ███████·····················  25%  15.0 GiB of 60.0 GiB

loading   host/13)"));
}

TEST(TopTextTest, AnIdleWorkerHasNoStep) {
  TopView view = BusyView();
  view.workers[0].step_s.reset();
  view.workers[0].predicted_step_s.reset();
  EXPECT_THAT(Draw(view, 120), HasSubstr("12 running, no step; tokens/s"));
}

TEST(TopTextTest, NamesCanMoveNoCursor) {
  TopView view = BusyView();
  view.workers[0].name =
      "a\033[2Jb\nc\xc2\x9b"
      "dö";
  EXPECT_THAT(
      DrawTop(view, "s", 120),
      Contains(AllOf(HasSubstr("  a?[2Jb?c?dö  "), Not(HasSubstr("\033")))));
}

}  // namespace
}  // namespace hybridserve
