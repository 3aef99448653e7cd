// The cpu kernels give the same bits on every instruction set that they were
// compiled for and this machine has.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/dtype.h"
#include "gtest/gtest.h"
#include "hwy/highway.h"
#include "kernels/attention_cpu.h"
#include "kernels/cpu_isa.h"
#include "kernels/element_convert.h"
#include "kernels/layer_norm_cpu.h"
#include "kernels/linear_cpu.h"
#include "kernels/log_prob_cpu.h"
#include "kernels/matrix.h"
#include "kernels/panel_layout.h"
#include "kernels/rotary_cpu.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/thread_pool.h"

namespace hybridserve {
namespace {

using Bytes = std::vector<char>;

Bytes Elements(const Matrix& matrix, DType dtype) {
  std::vector<float> floats(matrix.values.begin(), matrix.values.end());
  Bytes bytes(floats.size() * SizeOf(dtype));
  ConvertElements(DType::kFloat32, floats.data(), dtype, bytes.data(),
                  static_cast<int64_t>(floats.size()));
  return bytes;
}

// Runs `op` on each target in turn; it returns the bytes of its result.
void ExpectSameOnAllTargets(const std::function<Bytes()>& op) {
  std::map<std::string, Bytes> results;
  const int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  for (int64_t left = targets; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().DeInit();
    results[CpuIsa()] = op();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
  ASSERT_EQ(static_cast<size_t>(__builtin_popcountll(targets)), results.size());
  for (const auto& [isa, result] : results) {
    EXPECT_TRUE(result == results.begin()->second)
        << isa << " differs from " << results.begin()->first;
  }
  if (results.size() == 1) GTEST_SKIP() << "only one target on this machine";
}

struct Shape {
  int64_t m, n, k;
};

TEST(SimdTargetsTest, LinearIsTheSameEverywhere) {
  constexpr Shape kShapes[] = {
      {1, 150, 300}, {2, 33, 77}, {5, 16, 64}, {11, 40, 259}, {30, 20, 530}};
  ThreadPool pool(2);
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const Shape& shape : kShapes) {
      for (const Activation activation :
           {Activation::kNone, Activation::kRelu, Activation::kGelu,
            Activation::kSilu}) {
        SCOPED_TRACE(testing::Message() << Name(dtype) << " m=" << shape.m);
        const WeightShape weight{shape.n, shape.k, dtype};
        const Bytes x =
            Elements(RandomMatrix(shape.m, shape.k, dtype, 1), dtype);
        const Bytes w =
            Elements(RandomMatrix(shape.n, shape.k, dtype, 2), dtype);
        const Bytes bias =
            Elements(RandomMatrix(1, shape.n, dtype, 3), DType::kFloat32);
        Bytes blob(PanelLayout().PackedBytes(weight));
        ASSERT_TRUE(
            PanelLayout().Pack(weight, dtype, w, absl::MakeSpan(blob)).ok());
        ExpectSameOnAllTargets([&] {
          Bytes y(shape.m * shape.n * SizeOf(dtype));
          LinearCpu({.x = x.data(),
                     .x_stride = shape.k,
                     .weight = blob.data(),
                     .dtype = dtype,
                     .bias = reinterpret_cast<const float*>(bias.data()),
                     .y = y.data(),
                     .y_stride = shape.n,
                     .y_dtype = dtype,
                     .m = shape.m,
                     .n = shape.n,
                     .k = shape.k,
                     .activation = activation},
                    pool);
          return y;
        });
      }
    }
  }
}

TEST(SimdTargetsTest, LayerNormIsTheSameEverywhere) {
  ThreadPool pool(1);
  for (const DType y_dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const int64_t width : {1, 16, 100, 771}) {
      const Bytes x =
          Elements(RandomMatrix(5, width, DType::kFloat32, 1), DType::kFloat32);
      const Bytes gain =
          Elements(RandomMatrix(1, width, DType::kFloat32, 2), DType::kFloat32);
      ExpectSameOnAllTargets([&] {
        Bytes y(5 * width * SizeOf(y_dtype));
        const auto* gains = reinterpret_cast<const float*>(gain.data());
        LayerNormCpu({.x = reinterpret_cast<const float*>(x.data()),
                      .x_stride = width,
                      .gain = gains,
                      .bias = gains,
                      .y = y.data(),
                      .y_stride = width,
                      .y_dtype = y_dtype,
                      .rows = 5,
                      .width = width,
                      .epsilon = 1e-5F,
                      .center = true},
                     pool);
        return y;
      });
    }
  }
}

TEST(SimdTargetsTest, RotaryIsTheSameEverywhere) {
  ThreadPool pool(1);
  const std::vector<int32_t> positions = {0, 1, 77, 4095};
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const int64_t head_dim : {2, 18, 64}) {
      const std::vector<float> frequencies(head_dim / 2, 0.37F);
      const Bytes x = Elements(RandomMatrix(4, 3 * head_dim, dtype, 1), dtype);
      ExpectSameOnAllTargets([&] {
        Bytes turned = x;
        RotaryCpu({.x = turned.data(),
                   .x_stride = 3 * head_dim,
                   .dtype = dtype,
                   .rows = 4,
                   .num_heads = 3,
                   .head_dim = head_dim,
                   .frequencies = frequencies.data(),
                   .positions = positions.data()},
                  pool);
        return turned;
      });
    }
  }
}

TEST(SimdTargetsTest, AttentionIsTheSameEverywhere) {
  constexpr int64_t kRows = 45;
  constexpr int64_t kHeads = 2;
  ThreadPool pool(2);
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const int64_t head_dim : {5, 16, 40, 64}) {
      SCOPED_TRACE(testing::Message() << Name(dtype) << " " << head_dim);
      const int64_t width = kHeads * head_dim;
      const Bytes q = Elements(RandomMatrix(kRows, width, dtype, 1), dtype);
      const Bytes k = Elements(RandomMatrix(kRows, width, dtype, 2), dtype);
      const Bytes v = Elements(RandomMatrix(kRows, width, dtype, 3), dtype);
      ExpectSameOnAllTargets([&] {
        Bytes out(kRows * width * SizeOf(dtype));
        AttentionCpu({{.dtype = dtype,
                       .q = q.data(),
                       .q_stride = width,
                       .new_k = k.data(),
                       .new_k_stride = width,
                       .new_v = v.data(),
                       .new_v_stride = width,
                       .out = out.data(),
                       .out_stride = width,
                       .num_heads = kHeads,
                       .num_kv_heads = kHeads,
                       .head_dim = head_dim,
                       .block_tokens = 16,
                       .scale = 0.3F},
                      {{0, kRows, 0, {}}}},
                     pool);
        return out;
      });
    }
  }
}

TEST(SimdTargetsTest, LogProbIsTheSameEverywhere) {
  ThreadPool pool(1);
  const Bytes logits =
      Elements(RandomMatrix(3, 500, DType::kFloat32, 1), DType::kFloat32);
  const std::vector<int32_t> targets = {0, 499, 63};
  ExpectSameOnAllTargets([&] {
    Bytes state(size_t{3} * 4 * sizeof(float));
    LogProbCpu({.logits = reinterpret_cast<const float*>(logits.data()),
                .logits_stride = 500,
                .columns = 500,
                .first_column = 0,
                .targets = targets,
                .state = reinterpret_cast<float*>(state.data()),
                .state_stride = 4},
               pool);
    return state;
  });
}

}  // namespace
}  // namespace hybridserve
