#include "scheduler/testing/scripted_worker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/wire/model_files_wire.h"
#include "common/wire/step_plan_wire.h"
#include "common/wire/step_result_wire.h"
#include "common/wire/worker_info_wire.h"
#include "glog/logging.h"
#include "grpcpp/support/status.h"
#include "nlohmann/json.hpp"
#include "scheduler/tokenizer/byte_level.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

constexpr char kConfig[] = R"({
  "model_type": "opt", "architectures": ["OPTForCausalLM"],
  "vocab_size": 257, "hidden_size": 16, "num_hidden_layers": 1,
  "num_attention_heads": 2, "ffn_dim": 32, "max_position_embeddings": 128,
  "word_embed_proj_dim": 16, "do_layer_norm_before": true,
  "activation_function": "relu", "torch_dtype": "float32",
  "bos_token_id": 256, "eos_token_id": 256, "pad_token_id": 256})";
constexpr char kTokenizerConfig[] = R"({
  "tokenizer_class": "GPT2Tokenizer", "add_bos_token": true,
  "bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>"})";

WorkerInfo InfoOf(const ScriptedWorker::Options& options) {
  WorkerInfo info{
      .name = "scripted",
      .epoch = options.epoch,
      .model_name = options.model_name,
      .files = ByteModelFiles(),
      .numerics = {.weights_hash = options.weights_hash,
                   .backend = "cpu",
                   .isa = "none",
                   .build_id = "test"},
      .device = "a script",
      .pools = {{.tier = Tier::kHost,
                 .half_slots = options.half_slots,
                 .half_slot_bytes = int64_t{16} * 16 * 4}},
      .staging_half_slots = 1024,
      .max_step_tokens = 1024,
      .max_logit_rows = 64,
      .layer_bytes = 1000,
      .streamed_layer_bytes = 900,
      .profile = {.link_bytes_per_second = 1e9,
                  .copy_out_bytes_per_second = 1e9,
                  .gemm_flops_per_second = 1e9},
  };
  if (options.change_files != nullptr) options.change_files(info.files);
  return info;
}

}  // namespace

ModelFiles ByteModelFiles() {
  nlohmann::json vocab;
  for (int byte = 0; byte < 256; ++byte) {
    vocab[absl::StrCat(ByteLevelChar(static_cast<uint8_t>(byte)))] = byte;
  }
  vocab["</s>"] = kByteModelEos;
  return {.config_json = kConfig,
          .tokenizer_config_json = kTokenizerConfig,
          .vocab_json = vocab.dump(),
          .merges_txt = "#version: 0.2\n"};
}

ScriptedWorker::ScriptedWorker(const std::shared_ptr<grpc::Channel>& channel,
                               Options options)
    : options_(std::move(options)),
      stub_(pb::WorkerLinkService::NewStub(channel)) {
  if (!options_.api_key.empty()) {
    context_.AddMetadata("authorization",
                         absl::StrCat("Bearer ", options_.api_key));
  }
  stream_ = stub_->Connect(&context_);
  thread_ = std::thread([this] { Run(); });
}

ScriptedWorker::~ScriptedWorker() {
  context_.TryCancel();
  thread_.join();
}

void ScriptedWorker::Pause() {
  absl::MutexLock lock(&mutex_);
  paused_ = true;
}

void ScriptedWorker::Resume() {
  // Locked, as one write at a time may be under way.
  absl::MutexLock lock(&mutex_);
  paused_ = false;
  for (const StepResult& result : held_back_) Send(result);
  held_back_.clear();
}

int64_t ScriptedWorker::num_sequences() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int64_t>(produced_.size());
}

void ScriptedWorker::WaitForSequences(int64_t count) const {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return static_cast<int64_t>(produced_.size()) == count;
  };
  mutex_.Await(absl::Condition(&reached));
}

void ScriptedWorker::Leave() {
  absl::MutexLock lock(&mutex_);
  pb::ConnectRequest message;
  message.mutable_leave();
  Send(std::move(message));
}

void ScriptedWorker::SendHeartbeat() {
  absl::MutexLock lock(&mutex_);
  pb::ConnectRequest message;
  message.mutable_heartbeat();
  Send(std::move(message));
}

absl::Status ScriptedWorker::WaitUntilRefused() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&done_));
  return end_;
}

void ScriptedWorker::Run() {
  Register();
  pb::ConnectResponse message;
  while (stream_->Read(&message)) {
    if (!message.has_step_plan()) continue;
    const auto plan =
        StepPlanFromWire(FenceFromWire(message.fence()), message.step_plan());
    CHECK(plan.ok()) << plan.status();
    absl::MutexLock lock(&mutex_);
    StepResult result = Answer(*plan);
    if (paused_) {
      held_back_.push_back(std::move(result));
    } else {
      Send(result);
    }
  }
  {
    absl::MutexLock lock(&mutex_);
    hung_up_ = true;
  }
  const absl::Status end = FromGrpcStatus(stream_->Finish());
  absl::MutexLock lock(&mutex_);
  end_ = end;
  done_ = true;
}

void ScriptedWorker::Register() {
  const WorkerInfo info = InfoOf(options_);
  const auto send = [&](pb::ConnectRequest message) {
    message.mutable_fence()->set_epoch(options_.epoch);
    stream_->Write(message);
  };
  pb::ConnectRequest message;
  message.mutable_hello()->set_wire_revision(options_.wire_revision);
  message.mutable_hello()->set_worker_name(info.name);
  message.mutable_hello()->set_model_name(info.model_name);
  send(message);
  for (const pb::FileChunk& chunk : ModelFilesToWire(info.files)) {
    *message.mutable_file_chunk() = chunk;
    send(message);
  }
  WorkerInfoToWire(info, *message.mutable_register_());
  send(message);
}

void ScriptedWorker::Send(pb::ConnectRequest message) {
  if (hung_up_) return;  // Nothing may be written any more.
  message.mutable_fence()->set_epoch(options_.epoch);
  stream_->Write(message);
}

void ScriptedWorker::Send(const StepResult& result) {
  pb::ConnectRequest message;
  FenceToWire(result.fence, *message.mutable_fence());
  StepResultToWire(result, *message.mutable_step_result());
  Send(std::move(message));
}

StepResult ScriptedWorker::Answer(const StepPlan& plan) {
  StepResult result{.fence = plan.fence};
  for (const SequenceId sequence : plan.released) produced_.erase(sequence);
  for (const StepSequence& sequence : plan.sequences) {
    int64_t& produced = produced_[sequence.sequence];
    SequenceResult& added = result.sequences.emplace_back();
    added.sequence = sequence.sequence;
    if (sequence.sample) {
      const size_t index = produced++ % options_.script.size();
      added.token = static_cast<unsigned char>(options_.script[index]);
      added.log_prob = -0.5F;
      for (int64_t i = 0; i < sequence.sampling.top_log_probs; ++i) {
        added.top.push_back({.token = static_cast<int32_t>(i),
                             .log_prob = -static_cast<float>(i)});
      }
    }
    for (const int32_t target : sequence.score_targets) {
      if (target < 0) continue;
      added.scores.push_back({.log_prob = -static_cast<float>(target),
                              .top_token = target / 2,
                              .top_log_prob = -0.25F});
    }
  }
  result.stats.weight_bytes = 900;
  result.stats.wall = absl::Milliseconds(1);
  return result;
}

}  // namespace hybridserve
