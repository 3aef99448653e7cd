#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "glog/logging.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "hybridserve/v1/inference_service.pb.h"
#include "scheduler/core/request_validator.h"
#include "scheduler/rpc/message_bytes.h"
#include "scheduler/rpc/prepared_request.h"
#include "scheduler/rpc/served_models.h"
#include "scheduler/tokenizer/testing/tiny_tokenizer.h"
#include "scheduler/tokenizer/tokenizer.h"

namespace hybridserve {
namespace {

constexpr int64_t kMaxPositions = 64;

// "tiny", which has a tokenizer and samples by default, and "ids", which takes
// token ids only.
const ServedModels& Models() {
  static const ServedModels* const served = [] {
    auto* models = new ServedModels;
    auto tiny = std::make_shared<ServedModel>();
    tiny->name = "tiny";
    tiny->config.vocab_size = kTinyVocabSize;
    tiny->config.max_positions = kMaxPositions;
    tiny->config.eos_token_ids = {kTinyEos};
    tiny->generation_config = {.do_sample = true,
                               .top_p = 0.9,
                               .max_new_tokens = 20,
                               .eos_token_ids = {kTinyEos, 1'000'000}};
    auto tokenizer = Tokenizer::Create(TinyTokenizerFiles());
    CHECK(tokenizer.ok()) << tokenizer.status();
    tiny->tokenizer = *std::move(tokenizer);
    auto ids = std::make_shared<ServedModel>();
    ids->name = "ids";
    ids->config = tiny->config;
    models->Publish(std::move(tiny));
    models->Publish(std::move(ids));
    return models;
  }();
  return *served;
}

// What the core relies on in a request that has passed every check.
void CheckValid(const GenerationRequest& request, const ModelConfig& config) {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  CHECK(!request.request_id.empty());
  CHECK(prompt > 0 && prompt <= config.max_positions) << prompt;
  for (const int32_t id : request.prompt) {
    CHECK(id >= 0 && id < config.vocab_size) << id;
  }
  if (request.is_score()) {
    CHECK_EQ(request.score_targets.size(), request.prompt.size());
    return;
  }
  CHECK_GE(request.max_tokens, 1);
  CHECK_LE(prompt + request.max_tokens, config.max_positions);
  for (const int32_t id : request.stop_token_ids) {
    CHECK(id >= 0 && id < config.vocab_size) << id;
  }
  CHECK(std::isfinite(request.sampling.temperature));
  CHECK_GE(request.sampling.temperature, 0);
  CHECK(request.sampling.top_k >= 0 &&
        request.sampling.top_k <= config.vocab_size);
  CHECK(request.sampling.top_p > 0 && request.sampling.top_p <= 1);
}

void CheckPrepared(const absl::StatusOr<PreparedRequest>& prepared) {
  if (!prepared.ok()) {
    CHECK(!prepared.status().message().empty());
    return;
  }
  const ModelConfig& config = prepared->model->config;
  if (ValidateRequest(prepared->request, config).ok()) {
    CheckValid(prepared->request, config);
  }
}

}  // namespace
}  // namespace hybridserve

// The input is a GenerateRequest's bytes, and a ScoreRequest's. Whatever they
// are, they are refused or make a request that a model can run.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const grpc::Slice slice(data, size);
  const grpc::ByteBuffer bytes(&slice, 1);
  hybridserve::v1::GenerateRequest generate;
  if (hybridserve::ParseMessage(bytes, generate).ok()) {
    hybridserve::CheckPrepared(
        hybridserve::PrepareGenerate(generate, hybridserve::Models()));
  }
  hybridserve::v1::ScoreRequest score;
  if (hybridserve::ParseMessage(bytes, score).ok()) {
    hybridserve::CheckPrepared(
        hybridserve::PrepareScore(score, hybridserve::Models()));
  }
  return 0;
}
