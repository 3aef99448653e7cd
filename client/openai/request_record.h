#ifndef HYBRIDSERVE_CLIENT_OPENAI_REQUEST_RECORD_H_
#define HYBRIDSERVE_CLIENT_OPENAI_REQUEST_RECORD_H_

#include <string>

#include "absl/time/time.h"
#include "client/openai/gateway_metrics.h"
#include "client/openai/response_json.h"

namespace hybridserve::openai {

// What is left of an HTTP request when it is over: counts, and a line of the
// log, with its id and never its text. Thread-compatible.
class RequestRecord {
 public:
  // Outlived by `metrics`.
  RequestRecord(GatewayMetrics& metrics, std::string endpoint,
                std::string request_id, bool log);
  RequestRecord(const RequestRecord&) = delete;
  RequestRecord& operator=(const RequestRecord&) = delete;
  // It is over.
  ~RequestRecord();

  void set_status(int status) { status_ = status; }
  void set_usage(const UsageTotals& usage) { usage_ = usage; }

 private:
  GatewayMetrics& metrics_;
  const std::string endpoint_;
  const std::string request_id_;
  const bool log_;
  const absl::Time begin_;  // Of SystemClock.
  int status_ = 500;
  UsageTotals usage_;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_REQUEST_RECORD_H_
