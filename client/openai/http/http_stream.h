#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_STREAM_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_STREAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/openai/http/tls_context.h"
#include "httplib.h"

namespace hybridserve::http {

// One connection's bytes, in the clear or over TLS, as the library wants them.
// Its own streams wait for so long for each read, however little that brings,
// and take header lines of any length: here a head, and a body, are due whole
// by a time, and a head is of bounded size.
//
// Thread-compatible.
class HttpStream final : public httplib::Stream {
 public:
  struct Limits {
    int64_t max_head_bytes = int64_t{64} << 10;
    // For a client that takes nothing of what is written.
    absl::Duration write_timeout = absl::Seconds(30);
  };
  enum class Failure { kNone, kClosed, kTimeout, kTooLarge, kMalformed };

  // `fd` is borrowed. `tls` may be null.
  HttpStream(int fd, TlsSession tls, Limits limits);

  // The TLS handshake, if there is to be one. False if it fails.
  bool Handshake(absl::Time deadline);

  // A request's first line and headers come next, by the deadline.
  void BeginHead(absl::Time deadline);
  // (A line that ends without a carriage return is malformed: the library
  // would skip it.) Then its body.
  void BeginBody(absl::Time deadline);

  // Bytes of the next request are here already.
  bool has_buffered() const;
  // Why the last read failed.
  Failure failure() const { return failure_; }

  // Ends the connection: what was written is sent, what comes is thrown away,
  // for a little while, as a client that is still sending would lose the reply
  // to a reset.
  void Finish(bool client_may_be_sending);

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, size_t size) override;
  // All of it, or -1.
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return fd_; }

 private:
  // Of recv() and send(): bytes, or 0 with `wait_for` set to what poll() has
  // to wait for, or -1.
  ssize_t TryRead(char* data, size_t size, int& wait_for);
  ssize_t TryWrite(const char* data, size_t size, int& wait_for);
  bool WaitFor(int events, absl::Time deadline) const;
  // More bytes of the head. False sets failure_.
  bool CheckLines(absl::string_view head);
  // More bytes into the buffer. False sets failure_.
  bool Fill();

  const int fd_;
  const TlsSession tls_;
  const Limits limits_;
  absl::Time read_deadline_ = absl::InfiniteFuture();
  int64_t head_bytes_left_ = 0;
  bool in_head_ = false;
  char last_of_head_ = '\0';
  Failure failure_ = Failure::kNone;
  std::array<char, 16384> buffer_;
  size_t begin_ = 0;  // What is in the buffer and not read yet.
  size_t end_ = 0;
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_STREAM_H_
