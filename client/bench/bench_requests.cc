#include "client/bench/bench_requests.h"

#include <algorithm>
#include <random>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

std::vector<uint32_t> OrdinaryIds(const v1::Model& model) {
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < model.shape().vocab_size(); ++id) {
    const bool ends = std::count(model.eos_token_ids().begin(),
                                 model.eos_token_ids().end(), id) > 0;
    const bool begins = model.has_bos_token_id() && model.bos_token_id() == id;
    if (!ends && !begins) ids.push_back(id);
  }
  return ids;
}

}  // namespace

absl::StatusOr<std::vector<v1::GenerateStreamRequest>> MakeBenchRequests(
    const v1::Model& model, const PassOptions& options) {
  CHECK(
      options.lead_tokens >= 0 &&
      (options.lead_tokens == 0 || options.lead_tokens < options.prompt_tokens))
      << options.lead_tokens;
  const int64_t limit = model.limits().max_sequence_tokens();
  const int64_t tokens = options.prompt_tokens + options.output_tokens;
  if (tokens > limit) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--prompt_tokens: ", options.prompt_tokens, " and --output_tokens=",
        options.output_tokens, " are ", tokens, " tokens; a request of model ",
        model.name(), " takes ", limit, " here"));
  }
  const std::vector<uint32_t> ids = OrdinaryIds(model);
  if (ids.empty()) {
    return absl::FailedPreconditionError("the model has no ordinary token");
  }
  // By hand, as the standard's distributions differ between libraries.
  std::mt19937_64 random(options.seed);
  std::vector<v1::GenerateStreamRequest> requests;
  for (int64_t i = 0; i < options.batch; ++i) {
    v1::GenerateStreamRequest& request = requests.emplace_back();
    request.set_model(model.name());
    const int64_t lead = options.lead_tokens * (options.batch - 1 - i) /
                         std::max<int64_t>(1, options.batch - 1);
    for (int64_t token = 0; token < options.prompt_tokens - lead; ++token) {
      request.mutable_token_ids()->add_ids(ids[random() % ids.size()]);
    }
    request.mutable_sampling()->set_temperature(0);
    request.mutable_stopping()->set_max_tokens(
        static_cast<uint32_t>(options.output_tokens + lead));
    request.mutable_stopping()->set_ignore_eos(true);
  }
  return requests;
}

}  // namespace hybridserve
