#include "client/openai/request_record.h"

#include <utility>

#include "common/clock.h"
#include "glog/logging.h"

namespace hybridserve::openai {

RequestRecord::RequestRecord(GatewayMetrics& metrics, std::string endpoint,
                             std::string request_id, bool log)
    : metrics_(metrics),
      endpoint_(std::move(endpoint)),
      request_id_(std::move(request_id)),
      log_(log),
      begin_(SystemClock().Now()) {
  metrics_.CountBegin(endpoint_);
}

RequestRecord::~RequestRecord() {
  const absl::Duration duration = SystemClock().Now() - begin_;
  metrics_.CountEnd(endpoint_, status_, duration);
  LOG_IF(INFO, log_) << "request finished: request_id=" << request_id_
                     << " endpoint=" << endpoint_ << " status=" << status_
                     << " prompt_tokens=" << usage_.prompt_tokens
                     << " completion_tokens=" << usage_.completion_tokens
                     << " total_s=" << absl::ToDoubleSeconds(duration);
}

}  // namespace hybridserve::openai
