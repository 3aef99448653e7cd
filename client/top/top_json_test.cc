#include "client/top/top_json.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TopJsonTest, HoldsAllThatIsShown) {
  TopView view = {.elapsed_s = 1,
                  .running = 2,
                  .waiting = 3,
                  .waiting_tokens = 4,
                  .max_requests = 5,
                  .max_tokens = 6,
                  .prompt_tokens_per_s = 7.5,
                  .generated_tokens_per_s = 8.5,
                  .finished = {.total = 9, .more = 1}};
  view.workers.push_back(
      {.id = 1,
       .name = "n",
       .state = "ready",
       .device = "d",
       .model = "m",
       .running = 2,
       .link_busy = 0.5,
       .link = {.weight = 10},
       .step_s = 0.25,
       .pools = {
           {.tier = "host", .half_slots = 8, .free = 4, .kv_blocks = 2}}});
  view.loading.push_back({.name = "l",
                          .model = "m",
                          .stage = "s",
                          .loaded_bytes = 1,
                          .total_bytes = 2});
  EXPECT_EQ(
      TopToJson(view).dump(),
      R"({"elapsed_s":1.0,"queue":{"running":2,"waiting":3,)"
      R"("waiting_tokens":4,"max_requests":5,"max_tokens":6},)"
      R"("prompt_tokens_per_s":7.5,"generated_tokens_per_s":8.5,)"
      R"("requests":{"finished":{"total":9,"more":1},)"
      R"("cancelled":{"total":0,"more":0},"failed":{"total":0,"more":0},)"
      R"("rejected":{"total":0,"more":0},"preemptions":{"total":0,"more":0},)"
      R"("replays":{"total":0,"more":0}},)"
      R"("workers":[{"id":1,"name":"n","state":"ready","device":"d",)"
      R"("model":"m","running":2,"link_busy":0.5,"compute_busy":0.0,)"
      R"("copy_out_busy":0.0,"link_bytes_per_s":{"weight":10.0,"kv":0.0,)"
      R"("act":0.0,"other":0.0,"write_back":0.0},)"
      R"("prompt_tokens_per_s":0.0,"generated_tokens_per_s":0.0,)"
      R"("step_s":0.25,"predicted_step_s":null,"act_ratio":0.0,)"
      R"("preemptions":0,"pools":[{"tier":"host","half_slots":8,"free":4,)"
      R"("cached":0,"kv_blocks":2,"act_blocks":0}]}],)"
      R"("loading":[{"name":"l","model":"m","stage":"s","loaded_bytes":1,)"
      R"("total_bytes":2}]})");
}

}  // namespace
}  // namespace hybridserve
