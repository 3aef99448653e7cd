// One thread owns the files and decides; gRPC's threads only put finished
// calls into a mailbox. A line is in exactly one place: not read yet, in
// flight, waiting to be tried again, or in the output file.

#include "client/batch/batch_runner.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/batch/input_file.h"
#include "client/batch/input_line.h"
#include "client/batch/output_file.h"
#include "client/progress_bar.h"
#include "client/status_text.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
// Where the server itself asks for a pause.
constexpr absl::Duration kLongestAskedPause = absl::Minutes(1);
// Each abort is several workers lost, or one and none that took over. A line
// that sees so many of them may be what kills them.
constexpr int kMostAborts = 5;

// A line with its request, and the call while it is in flight.
struct Job {
  int64_t line = 0;
  json id;
  v1::GenerateRequest request;
  int attempts = 0;
  int aborts = 0;
  absl::Time started;  // The last attempt.
  std::unique_ptr<grpc::ClientContext> context;
  v1::GenerateResponse response;
  grpc::Status status;
};

v1::GenerateRequest MakeRequest(const InputLine& line,
                                const GenerationOptions& defaults) {
  GenerationOptions options = defaults;
  options.prompt = line.prompt;
  options.token_ids = line.token_ids;
  const LineOptions& own = line.options;
  if (own.model) options.model = *own.model;
  if (own.max_tokens) options.max_tokens = own.max_tokens;
  if (own.min_tokens) options.min_tokens = own.min_tokens;
  if (own.priority) options.priority = own.priority;
  if (own.temperature) options.temperature = own.temperature;
  if (own.top_k) options.top_k = own.top_k;
  if (own.top_p) options.top_p = own.top_p;
  if (own.presence_penalty) options.presence_penalty = own.presence_penalty;
  if (own.frequency_penalty) options.frequency_penalty = own.frequency_penalty;
  if (own.repetition_penalty) {
    options.repetition_penalty = own.repetition_penalty;
  }
  if (!own.logit_bias.empty()) options.logit_bias = own.logit_bias;
  if (own.seed) options.seed = own.seed;
  if (own.ignore_eos) options.ignore_eos = *own.ignore_eos;
  if (!own.stop.empty()) options.stop = own.stop;
  return ToRequest(options);
}

json ErrorResult(int64_t line, const json& id, absl::string_view code,
                 absl::string_view message) {
  return {{"id", id},
          {"line", line},
          {"error",
           {{"code", std::string{code}}, {"message", std::string{message}}}}};
}

json Result(const Job& job) {
  if (!job.status.ok()) {
    return ErrorResult(job.line, job.id, CodeName(job.status.error_code()),
                       job.status.error_message());
  }
  const v1::GenerateResponse& response = job.response;
  return {{"id", job.id},
          {"line", job.line},
          {"text", response.text()},
          {"token_ids", response.token_ids()},
          {"finish_reason", std::string{Name(response.finish_reason())}},
          {"usage",
           {{"prompt_tokens", response.usage().prompt_tokens()},
            {"completion_tokens", response.usage().completion_tokens()}}}};
}

absl::Duration Pause(int attempts, const grpc::Status& status) {
  absl::Duration pause = kFirstPause;
  for (int i = 1; i < attempts && pause < kLongestPause; ++i) pause *= 2;
  const absl::Duration asked =
      RetryDelayOf(FromGrpcStatus(status)).value_or(absl::ZeroDuration());
  return std::max(std::min(pause, kLongestPause),
                  std::min(asked, kLongestAskedPause));
}

class Runner {
 public:
  Runner(const BatchOptions& options, std::shared_ptr<grpc::Channel> channel,
         InputFile input, OutputFile output, ProgressBar& bar)
      : options_(options),
        stub_(v1::InferenceService::NewStub(std::move(channel))),
        input_(std::move(input)),
        output_(std::move(output)),
        bar_(bar),
        start_(absl::Now()),
        last_taken_(start_),
        last_refused_(start_),
        last_gone_(start_) {}

  absl::StatusOr<BatchSummary> Run(Interrupt& interrupt) {
    Interrupt::Scope scope(interrupt, [this] { OnInterrupt(); });
    const absl::Status status = Loop();
    CancelAll();
    // Calls write to their jobs until they are done, cancelled or not.
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Runner* self) { return self->in_flight_.empty(); }, this));
    RETURN_IF_ERROR(status);
    RETURN_IF_ERROR(output_.Finish(options_.ordered));
    bar_.Finish(output_.num_done(), Note(), absl::Now());
    return BatchSummary{output_.num_done(), output_.num_errors(),
                        completion_tokens_};
  }

 private:
  absl::Status Loop() {
    for (;;) {
      RETURN_IF_ERROR(StartSome());
      std::vector<std::unique_ptr<Job>> done = WaitForDone();
      for (std::unique_ptr<Job>& job : done) {
        RETURN_IF_ERROR(Handle(std::move(job)));
      }
      bar_.Show(output_.num_done(), Note(), absl::Now());
      absl::MutexLock lock(&mutex_);
      if (interrupted_) {
        return absl::CancelledError("interrupted; run again to go on");
      }
      if (at_end_ && in_flight_.empty() && done_.empty() && paused_.empty()) {
        return absl::OkStatus();
      }
      if (last_refused_ - last_taken_ > options_.give_up_after &&
          done_.empty() && !ServerHasSome()) {
        return absl::UnavailableError(
            absl::StrCat("the server took no request for ",
                         absl::FormatDuration(options_.give_up_after),
                         " (last: ", last_problem_, "); run again to go on"));
      }
    }
  }

  // Refusals come at once, or after the time that connections take: a call that
  // is out for longer was taken.
  bool IsTaken(const Job& job) const {
    return absl::Now() - job.started >=
           std::max(options_.give_up_after / 10, absl::Seconds(1));
  }

  bool ServerHasSome() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::any_of(in_flight_.begin(), in_flight_.end(),
                       [this](const Job* job) { return IsTaken(*job); });
  }

  int64_t NumInFlight() {
    absl::MutexLock lock(&mutex_);
    return static_cast<int64_t>(in_flight_.size() + done_.size());
  }

  // Fills the window: first what is to be tried again, then new lines.
  absl::Status StartSome() {
    while (NumInFlight() < options_.window) {
      if (!paused_.empty() && paused_.begin()->first <= absl::Now()) {
        std::unique_ptr<Job> job = std::move(paused_.begin()->second);
        paused_.erase(paused_.begin());
        Start(std::move(job));
        continue;
      }
      // Jobs that wait for a full or absent server hold their place in the
      // window, so that it is not run over with ever more of them.
      if (NumInFlight() + static_cast<int64_t>(paused_.size()) >=
              options_.window ||
          at_end_) {
        break;
      }
      ASSIGN_OR_RETURN(std::unique_ptr<Job> job, NextJob());
      if (job != nullptr) Start(std::move(job));
    }
    return absl::OkStatus();
  }

  bool Mine(int64_t line) const {
    return (line - 1) % options_.shard_count == options_.shard_index;
  }

  // Null at the end of the input, or after a line that was done or wrong.
  absl::StatusOr<std::unique_ptr<Job>> NextJob() {
    ASSIGN_OR_RETURN(const std::optional<InputFile::Line> text, input_.Next());
    if (!text.has_value()) {
      at_end_ = true;
      return nullptr;
    }
    if (!Mine(text->number) || output_.Has(text->number)) return nullptr;
    InputLine line = ParseInputLine(text->number, text->text);
    if (text->too_long) {
      line.status = absl::InvalidArgumentError(absl::StrCat(
          "line is longer than ", InputFile::kMaxLineBytes, " bytes"));
    }
    if (!line.status.ok()) {
      RETURN_IF_ERROR(output_.Append(ErrorResult(
          line.number, line.id, "INVALID_ARGUMENT", line.status.message())));
      return nullptr;
    }
    auto job = std::make_unique<Job>();
    job->line = line.number;
    job->id = line.id;
    job->request = MakeRequest(line, options_.defaults);
    return job;
  }

  void Start(std::unique_ptr<Job> job) {
    Job* const raw = job.release();
    raw->context = std::make_unique<grpc::ClientContext>();
    raw->response.Clear();
    ++raw->attempts;
    raw->started = absl::Now();
    {
      absl::MutexLock lock(&mutex_);
      in_flight_.insert(raw);
      if (interrupted_) raw->context->TryCancel();
    }
    stub_->async()->Generate(raw->context.get(), &raw->request, &raw->response,
                             [this, raw](grpc::Status status) {
                               absl::MutexLock lock(&mutex_);
                               raw->status = std::move(status);
                               in_flight_.erase(raw);
                               done_.emplace_back(raw);
                             });
  }

  std::vector<std::unique_ptr<Job>> WaitForDone() {
    absl::Time until = absl::Now() + absl::Milliseconds(100);
    if (!paused_.empty()) until = std::min(until, paused_.begin()->first);
    absl::MutexLock lock(&mutex_);
    const auto has_news = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !done_.empty() || interrupted_ ||
             (at_end_ && in_flight_.empty() && paused_.empty());
    };
    mutex_.AwaitWithDeadline(absl::Condition(&has_news), until);
    return std::exchange(done_, {});
  }

  bool MaySucceedLater(const Job& job) const {
    if (job.status.error_code() != grpc::StatusCode::NOT_FOUND) {
      return IsRetryable(job.status) && job.aborts < kMostAborts;
    }
    const auto answer = last_answers_.find(job.request.model());
    absl::Time known = last_gone_;
    if (answer != last_answers_.end()) known = std::max(known, answer->second);
    return absl::Now() - known < options_.wait_for_model;
  }

  absl::Status Handle(std::unique_ptr<Job> job) {
    if (job->status.error_code() == grpc::StatusCode::ABORTED) ++job->aborts;
    if (MaySucceedLater(*job)) {
      last_refused_ = absl::Now();
      if (IsTaken(*job)) last_taken_ = last_refused_;
      if (job->status.error_code() == grpc::StatusCode::UNAVAILABLE) {
        last_gone_ = last_refused_;
      }
      last_problem_ = Describe(job->status);
      const absl::Duration pause = Pause(job->attempts, job->status);
      paused_.emplace(absl::Now() + pause, std::move(job));
      return absl::OkStatus();
    }
    {
      absl::MutexLock lock(&mutex_);
      // Our own doing, not the line's.
      if (interrupted_ && !job->status.ok()) return absl::OkStatus();
    }
    if (job->status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
        job->status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
      return absl::UnauthenticatedError(Describe(job->status));
    }
    last_taken_ = absl::Now();
    if (job->status.ok()) last_answers_[job->request.model()] = last_taken_;
    completion_tokens_ += job->response.usage().completion_tokens();
    return output_.Append(Result(*job));
  }

  void OnInterrupt() {
    {
      absl::MutexLock lock(&mutex_);
      interrupted_ = true;
    }
    CancelAll();
  }

  void CancelAll() {
    absl::MutexLock lock(&mutex_);
    for (Job* job : in_flight_) job->context->TryCancel();
  }

  std::string Note() const {
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start_);
    std::string note = absl::StrFormat(
        "%.0f tokens/s",
        seconds > 0 ? static_cast<double>(completion_tokens_) / seconds : 0);
    if (output_.num_errors() > 0) {
      absl::StrAppend(&note, ", ", output_.num_errors(), " bad lines");
    }
    if (!paused_.empty()) {
      absl::StrAppend(&note, ", ", paused_.size(), " waiting: ", last_problem_);
    }
    return note;
  }

  const BatchOptions& options_;
  const std::unique_ptr<v1::InferenceService::Stub> stub_;
  InputFile input_;
  OutputFile output_;
  ProgressBar& bar_;
  const absl::Time start_;
  absl::Time last_taken_;    // The server had a call, or answered one.
  absl::Time last_refused_;  // Failed with what may succeed later.
  absl::Time last_gone_;     // Of those, UNAVAILABLE; at first the start.
  std::map<std::string, absl::Time> last_answers_;  // By model.
  std::string last_problem_;
  int64_t completion_tokens_ = 0;
  bool at_end_ = false;
  std::multimap<absl::Time, std::unique_ptr<Job>> paused_;  // By when to go on.

  absl::Mutex mutex_;
  std::set<Job*> in_flight_ ABSL_GUARDED_BY(mutex_);  // Owned by their call.
  std::vector<std::unique_ptr<Job>> done_ ABSL_GUARDED_BY(mutex_);
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

int64_t LinesOfShard(int64_t lines, const BatchOptions& options) {
  return (lines + options.shard_count - 1 - options.shard_index) /
         options.shard_count;
}

}  // namespace

absl::StatusOr<BatchSummary> RunBatch(const BatchOptions& options,
                                      std::shared_ptr<grpc::Channel> channel,
                                      Interrupt& interrupt,
                                      std::ostream& progress,
                                      bool progress_is_terminal) {
  ASSIGN_OR_RETURN(const int64_t lines, InputFile::CountLines(options.input));
  ASSIGN_OR_RETURN(InputFile input, InputFile::Open(options.input));
  ASSIGN_OR_RETURN(OutputFile output,
                   OutputFile::Open(options.output_file, lines));
  ProgressBar bar(progress, progress_is_terminal, LinesOfShard(lines, options),
                  output.num_done(), absl::Now());
  return Runner(options, std::move(channel), std::move(input),
                std::move(output), bar)
      .Run(interrupt);
}

}  // namespace hybridserve
