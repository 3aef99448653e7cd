#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <boost/context/fiber.hpp>
#include <memory>
#include <utility>

#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(RpcLinkTest, AServerListensOnAFreePortWithHealthAndReflection) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  EXPECT_GT(port, 0);
  EXPECT_NE(server->GetHealthCheckService(), nullptr);
  server->Shutdown();
}

TEST(RpcLinkTest, ProtobufWritesJson) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(1);
  std::string json;
  ASSERT_TRUE(
      google::protobuf::util::MessageToJsonString(timestamp, &json).ok());
  EXPECT_EQ(json, "\"1970-01-01T00:00:01Z\"");
}

TEST(RpcLinkTest, BoostContextSwitches) {
  int steps = 0;
  boost::context::fiber fiber([&steps](boost::context::fiber&& caller) {
    ++steps;
    caller = std::move(caller).resume();
    ++steps;
    return std::move(caller);
  });
  fiber = std::move(fiber).resume();
  EXPECT_EQ(steps, 1);
  fiber = std::move(fiber).resume();
  EXPECT_EQ(steps, 2);
  EXPECT_FALSE(fiber);
}

}  // namespace
}  // namespace hybridserve
