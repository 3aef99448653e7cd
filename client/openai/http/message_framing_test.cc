#include "client/openai/http/message_framing.h"

#include "gtest/gtest.h"

namespace hybridserve::http {
namespace {

constexpr int64_t kMax = 100;

MessageFraming Of(const char* method, httplib::Headers headers) {
  return ReadFraming(method, headers, kMax);
}

TEST(MessageFramingTest, BodiesAreCountedOrChunked) {
  EXPECT_FALSE(Of("GET", {{"Host", "x"}}).has_body);
  EXPECT_EQ(Of("GET", {}).refusal, 0);
  for (const httplib::Headers& headers :
       {httplib::Headers{{"content-length", "100"}},
        httplib::Headers{{"Content-Length", "0"}},
        httplib::Headers{{"Transfer-Encoding", "Chunked"}},
        httplib::Headers{{"Content-Length", "5"},
                         {"Content-Encoding", "identity"},
                         {"Content-Type", "application/json"}}}) {
    const MessageFraming framing = Of("POST", headers);
    EXPECT_TRUE(framing.has_body);
    EXPECT_EQ(framing.refusal, 0) << framing.reason;
  }
  // Not read, but there.
  EXPECT_TRUE(Of("GET", {{"Content-Length", "5"}}).has_body);
}

TEST(MessageFramingTest, WhatIsUnclearIsRefused) {
  const struct {
    httplib::Headers headers;
    int status;
  } cases[] = {
      {{{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}, 400},
      {{{"Content-Length", "5"}, {"Content-Length", "6"}}, 400},
      {{{"Content-Length", "5"}, {"Content-Length", "5"}}, 400},
      {{{"Content-Length", "+5"}}, 400},
      {{{"Content-Length", "-5"}}, 400},
      {{{"Content-Length", "5, 5"}}, 400},
      {{{"Content-Length", "0x5"}}, 400},
      {{{"Content-Length", ""}}, 400},
      {{{"Content-Length", "5"}, {"Content-Length ", "6"}}, 400},
      {{{"Content-Length", "5"}, {"", "6"}}, 400},
      {{{"Content-Length", "101"}}, 413},
      {{{"Content-Length", "99999999999999999999999"}}, 413},
      {{{"Transfer-Encoding", "gzip, chunked"}}, 501},
      {{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
       501},
      {{}, 411},
      {{{"Content-Length", "5"}, {"Content-Encoding", "gzip"}}, 415},
      {{{"Content-Length", "5"}, {"Content-Type", "multipart/form-data"}}, 415},
  };
  for (const auto& [headers, status] : cases) {
    const MessageFraming framing = Of("POST", headers);
    EXPECT_EQ(framing.refusal, status);
    EXPECT_FALSE(framing.reason.empty());
  }
}

}  // namespace
}  // namespace hybridserve::http
