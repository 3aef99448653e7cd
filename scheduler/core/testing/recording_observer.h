#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_RECORDING_OBSERVER_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_RECORDING_OBSERVER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "scheduler/core/request.h"

namespace hybridserve {

// What an observer heard.
struct RequestRecord {
  std::optional<int64_t> queue_position;  // Once accepted.
  std::vector<int32_t> tokens;
  std::vector<float> log_probs;
  std::vector<std::vector<TopToken>> top;  // One a token.
  std::optional<std::vector<TokenScore>> scores;
  int resumed = 0;
  std::optional<FinishReason> finished;
  Usage usage;  // With `finished`.
  std::optional<absl::Status> error;

  bool ended() const { return finished.has_value() || error.has_value(); }
};

// Writes down what it hears, and fails the test if calls come out of order, or
// if it is destroyed without a terminal event after it was accepted.
class RecordingObserver final : public RequestObserver {
 public:
  // Asks for the end after `stop_after` tokens.
  explicit RecordingObserver(std::shared_ptr<RequestRecord> record,
                             int64_t stop_after = INT64_MAX)
      : record_(std::move(record)), stop_after_(stop_after) {}
  ~RecordingObserver() override {
    EXPECT_EQ(record_->ended(), record_->queue_position.has_value());
  }

  void OnAccepted(int64_t queue_position) override {
    EXPECT_FALSE(record_->queue_position.has_value()) << "accepted twice";
    record_->queue_position = queue_position;
  }
  bool OnToken(const ProducedToken& token) override {
    ExpectLive();
    record_->tokens.push_back(token.id);
    record_->log_probs.push_back(token.log_prob);
    record_->top.emplace_back(token.top.begin(), token.top.end());
    return static_cast<int64_t>(record_->tokens.size()) < stop_after_;
  }
  void OnScores(const std::vector<TokenScore>& scores) override {
    ExpectLive();
    EXPECT_FALSE(record_->scores.has_value()) << "scored twice";
    record_->scores = scores;
  }
  void OnResumed() override {
    ExpectLive();
    ++record_->resumed;
  }
  void OnFinished(FinishReason reason, const Usage& usage) override {
    ExpectLive();
    record_->finished = reason;
    record_->usage = usage;
  }
  void OnError(const absl::Status& status) override {
    ExpectLive();
    EXPECT_FALSE(status.ok());
    record_->error = status;
  }

 private:
  void ExpectLive() const {
    EXPECT_TRUE(record_->queue_position.has_value()) << "not accepted";
    EXPECT_FALSE(record_->ended()) << "an event after the end";
  }

  const std::shared_ptr<RequestRecord> record_;  // Shared with the test.
  const int64_t stop_after_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_RECORDING_OBSERVER_H_
