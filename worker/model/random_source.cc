#include "worker/model/random_source.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "glog/logging.h"
#include "kernels/element_convert.h"
#include "worker/model/model_tensors.h"
#include "worker/model/tensor_source.h"

// One hash of 64 bits an element; its four 16-bit parts are added up, which is
// close to normal (Irwin-Hall) and, unlike Box-Muller, needs no functions whose
// last bits differ among machines. Integers up to the one scaling by a float.

namespace hybridserve {
namespace {

constexpr float kDeviation = 0.02F;
constexpr int32_t kMeanOfSum = 2 * 65535;
// Of four independent integers uniform in [0, 65535]: sqrt(4 (2^32 - 1) / 12).
constexpr float kDeviationOfSum = 37837.227F;

// The finaliser of SplitMix64 (Steele et al. 2014): a bijection that mixes.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr uint64_t kStep = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio.

uint64_t StreamKey(uint64_t seed, absl::string_view name) {
  uint64_t key = Mix(seed + kStep);
  for (const char c : name) key = Mix(key ^ static_cast<uint8_t>(c)) + kStep;
  return key;
}

float Noise(uint64_t key, int64_t index) {
  const uint64_t bits = Mix(key + static_cast<uint64_t>(index) * kStep);
  const auto sum =
      static_cast<int32_t>((bits & 0xffff) + (bits >> 16 & 0xffff) +
                           (bits >> 32 & 0xffff) + (bits >> 48));
  return static_cast<float>(sum - kMeanOfSum) * (kDeviation / kDeviationOfSum);
}

bool IsNormGain(absl::string_view name) {
  return absl::EndsWith(name, "layer_norm.weight") ||
         absl::EndsWith(name, "layernorm.weight") ||
         name == "model.norm.weight";
}

}  // namespace

RandomSource::RandomSource(const ModelConfig& config, uint64_t seed)
    : seed_(seed) {
  for (ExpectedTensor& tensor : ModelTensors(config)) {
    tensors_[tensor.name] = {.dtype = config.checkpoint_dtype,
                             .shape = std::move(tensor.shape),
                             .origin = origin()};
  }
}

std::vector<std::string> RandomSource::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, info] : tensors_) names.push_back(name);
  return names;
}

const TensorInfo* RandomSource::Find(absl::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

absl::Status RandomSource::ReadRows(
    absl::string_view name, int64_t first_row, int64_t num_rows,
    absl::FunctionRef<absl::Status(absl::Span<const char>)> use) const {
  // Elements made at a time, before they are narrowed.
  constexpr int64_t kChunk = 4096;
  const TensorInfo* info = Find(name);
  CHECK(info != nullptr) << name;
  CHECK(first_row >= 0 && num_rows >= 0 &&
        first_row <= info->shape[0] - num_rows)
      << name << " rows " << first_row << "+" << num_rows;
  const uint64_t key = StreamKey(seed_, name);
  const float mean = IsNormGain(name) ? 1.0F : 0.0F;
  const int64_t first = first_row * info->RowElements();
  const int64_t count = num_rows * info->RowElements();
  const int64_t element_bytes = SizeOf(info->dtype);
  std::vector<char> bytes(count * element_bytes);
  std::vector<float> values(std::min(count, kChunk));
  for (int64_t done = 0; done < count; done += kChunk) {
    const int64_t size = std::min(kChunk, count - done);
    for (int64_t i = 0; i < size; ++i) {
      values[i] = mean + Noise(key, first + done + i);
    }
    ConvertElements(DType::kFloat32, values.data(), info->dtype,
                    bytes.data() + done * element_bytes, size);
  }
  return use(bytes);
}

std::string RandomSource::origin() const {
  return absl::StrCat("--random_weights=", seed_);
}

std::string RandomSource::fingerprint() const {
  return absl::StrCat("random weights v1, seed ", seed_);
}

}  // namespace hybridserve
