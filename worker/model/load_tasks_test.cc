#include "worker/model/load_tasks.h"

#include <cstdint>
#include <map>
#include <string>

#include "absl/types/span.h"
#include "common/dtype.h"
#include "gtest/gtest.h"
#include "worker/model/host_weights.h"
#include "worker/model/model_tensors.h"
#include "worker/model/random_source.h"
#include "worker/model/tensor_source.h"
#include "worker/model/testing/row_major_layout.h"
#include "worker/model/testing/small_models.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {
namespace {

// What they store is WeightLoaderTest's to check; here, what they read.
TEST(LoadTasksTest, ReadEveryRowOfEveryTensorInOrder) {
  for (const auto& [name, config] : SmallConfigs()) {
    SCOPED_TRACE(name);
    const RandomSource source(config, 1);
    const RowMajorLayout layout;
    const WeightPlan plan =
        MakeWeightPlan(config, DType::kBFloat16, layout,
                       {.min_piece_bytes = 1, .head_slice_bytes = 1});
    std::string layers(plan.num_layers * plan.layer.bytes, '\0');
    std::string head(plan.head.bytes, '\0');
    std::string outer(plan.outer.bytes, '\0');
    std::string tokens(plan.token_table.bytes(), '\0');
    std::string positions(plan.position_table.bytes(), '\0');
    const WeightSpans spans = {.layers = absl::MakeSpan(layers),
                               .head = absl::MakeSpan(head),
                               .outer = absl::MakeSpan(outer),
                               .token_table = absl::MakeSpan(tokens),
                               .position_table = absl::MakeSpan(positions)};
    std::map<std::string, int64_t> rows;
    for (const LoadTask& task :
         MakeLoadTasks(source, config, plan, layout, spans)) {
      const TensorInfo& info = *source.Find(task.tensor);
      // A tied head reads the token table again, from its start.
      EXPECT_EQ(task.first_row, rows[task.tensor] % info.shape[0]);
      EXPECT_EQ(task.source_bytes,
                task.num_rows * info.RowElements() * SizeOf(info.dtype));
      rows[task.tensor] += task.num_rows;
    }
    std::map<std::string, int64_t> want;
    for (const ExpectedTensor& tensor : ModelTensors(config)) {
      want[tensor.name] = tensor.shape[0];
    }
    if (config.tied_lm_head) {
      want[TensorName(config, OuterTensor::kTokenTable)] *= 2;
    }
    EXPECT_EQ(rows, want);
  }
}

}  // namespace
}  // namespace hybridserve
