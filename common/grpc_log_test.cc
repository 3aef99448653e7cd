#include "common/grpc_log.h"

#include <string>

#include "glog/logging.h"
#include "grpc/grpc.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// Keeps the last message.
class LastMessage final : public google::LogSink {
 public:
  LastMessage() { google::AddLogSink(this); }
  ~LastMessage() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity severity, const char*, const char* file, int,
            const google::LogMessageTime&, const char* message,
            size_t size) override {
    severity_ = severity;
    file_ = file;
    text_.assign(message, size);
  }

  google::LogSeverity severity_ = -1;
  std::string file_;
  std::string text_;
};

TEST(GrpcLogTest, WhatGrpcLogsIsLogged) {
  LogGrpcThroughGlog();
  grpc_init();  // Nothing is logged before.
  LastMessage last;
  gpr_log(GPR_ERROR, "no %s", "route");
  grpc_shutdown();
  EXPECT_EQ(last.text_, "no route");
  EXPECT_EQ(last.severity_, google::GLOG_ERROR);
  EXPECT_EQ(last.file_, "grpc_log_test.cc");
}

}  // namespace
}  // namespace hybridserve
