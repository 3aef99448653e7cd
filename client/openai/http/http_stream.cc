#include "client/openai/http/http_stream.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/clock.h"

namespace hybridserve::http {
namespace {

constexpr absl::Duration kLinger = absl::Seconds(2);
constexpr int64_t kMaxLingerBytes = int64_t{256} << 20;

// Deadlines are of a clock that nobody sets.
absl::Time Now() { return SystemClock().Now(); }

// Of an SSL_read() or the like that returned `result`: 0 to wait, or -1.
ssize_t AfterTls(SSL* ssl, int result, int& wait_for) {
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
      wait_for = POLLIN;
      return 0;
    case SSL_ERROR_WANT_WRITE:
      wait_for = POLLOUT;
      return 0;
    default:
      return -1;
  }
}

ssize_t AfterSocket(ssize_t result, int events, int& wait_for) {
  if (result > 0) return result;
  const bool wait = result < 0 && (errno == EAGAIN || errno == EINTR);
  if (!wait) return -1;
  wait_for = events;
  return 0;
}

void GetIpAndPort(const sockaddr_storage& address, socklen_t length,
                  std::string& ip, int& port) {
  char host[NI_MAXHOST] = "";
  char service[NI_MAXSERV] = "";
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host,
                  sizeof(host), service, sizeof(service),
                  NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
    ip = host;
    if (!absl::SimpleAtoi(service, &port)) port = 0;
  }
}

}  // namespace

HttpStream::HttpStream(int fd, TlsSession tls, Limits limits)
    : fd_(fd), tls_(std::move(tls)), limits_(limits) {
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  if (tls_ != nullptr) SSL_set_fd(tls_.get(), fd_);
}

bool HttpStream::Handshake(absl::Time deadline) {
  if (tls_ == nullptr) return true;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(tls_.get());
    if (result == 1) return true;
    int wait_for = 0;
    if (AfterTls(tls_.get(), result, wait_for) < 0 ||
        !WaitFor(wait_for, deadline)) {
      return false;
    }
  }
}

void HttpStream::BeginHead(absl::Time deadline) {
  read_deadline_ = deadline;
  head_bytes_left_ = limits_.max_head_bytes;
  in_head_ = true;
  last_of_head_ = '\0';
  failure_ = Failure::kNone;
}

void HttpStream::BeginBody(absl::Time deadline) {
  read_deadline_ = deadline;
  in_head_ = false;
}

bool HttpStream::has_buffered() const {
  return begin_ < end_ || (tls_ != nullptr && SSL_pending(tls_.get()) > 0);
}

void HttpStream::Finish(bool client_may_be_sending) {
  if (tls_ != nullptr) SSL_shutdown(tls_.get());
  shutdown(fd_, SHUT_WR);
  const absl::Time deadline = Now() + kLinger;
  int64_t left = client_may_be_sending ? kMaxLingerBytes : 0;
  while (left > 0) {
    const ssize_t count = recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (count > 0) {
      left -= count;
    } else if (count == 0 || errno != EAGAIN || !WaitFor(POLLIN, deadline)) {
      return;
    }
    if (Now() > deadline) return;
  }
}

bool HttpStream::is_readable() const {
  return has_buffered() || WaitFor(POLLIN, read_deadline_);
}

bool HttpStream::is_writable() const {
  pollfd state = {fd_, POLLOUT | POLLRDHUP, 0};
  return poll(&state, 1, 0) == 1 && state.revents == POLLOUT;
}

ssize_t HttpStream::read(char* data, size_t size) {
  if (in_head_ && head_bytes_left_ <= 0) {
    failure_ = Failure::kTooLarge;
    return -1;
  }
  if (begin_ == end_ && !Fill()) return -1;
  size_t count = std::min(size, end_ - begin_);
  if (in_head_) {
    count = std::min(count, static_cast<size_t>(head_bytes_left_));
    head_bytes_left_ -= static_cast<int64_t>(count);
  }
  std::memcpy(data, &buffer_[begin_], count);
  if (in_head_ && !CheckLines({data, count})) return -1;
  begin_ += count;
  return static_cast<ssize_t>(count);
}

bool HttpStream::CheckLines(absl::string_view head) {
  for (const char c : head) {
    if (c == '\n' && last_of_head_ != '\r') {
      failure_ = Failure::kMalformed;
      return false;
    }
    last_of_head_ = c;
  }
  return true;
}

bool HttpStream::Fill() {
  begin_ = end_ = 0;
  for (;;) {
    int wait_for = 0;
    const ssize_t count = TryRead(buffer_.data(), buffer_.size(), wait_for);
    if (count > 0) {
      end_ = static_cast<size_t>(count);
      return true;
    }
    failure_ = count < 0 ? Failure::kClosed : Failure::kTimeout;
    if (count < 0 || !WaitFor(wait_for, read_deadline_)) return false;
    failure_ = Failure::kNone;
  }
}

ssize_t HttpStream::TryRead(char* data, size_t size, int& wait_for) {
  // A client that sends without a pause is late, too.
  if (Now() > read_deadline_) {
    wait_for = POLLIN;
    return 0;
  }
  if (tls_ == nullptr) {
    return AfterSocket(recv(fd_, data, size, 0), POLLIN, wait_for);
  }
  ERR_clear_error();
  const int count = SSL_read(tls_.get(), data, static_cast<int>(size));
  return count > 0 ? count : AfterTls(tls_.get(), count, wait_for);
}

ssize_t HttpStream::TryWrite(const char* data, size_t size, int& wait_for) {
  if (tls_ == nullptr) {
    return AfterSocket(send(fd_, data, size, MSG_NOSIGNAL), POLLOUT, wait_for);
  }
  ERR_clear_error();
  const int count = SSL_write(
      tls_.get(), data, static_cast<int>(std::min<size_t>(size, INT_MAX)));
  return count > 0 ? count : AfterTls(tls_.get(), count, wait_for);
}

ssize_t HttpStream::write(const char* data, size_t size) {
  size_t written = 0;
  while (written < size) {
    int wait_for = 0;
    const ssize_t count = TryWrite(data + written, size - written, wait_for);
    if (count < 0 ||
        (count == 0 && !WaitFor(wait_for, Now() + limits_.write_timeout))) {
      return -1;
    }
    written += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(size);
}

bool HttpStream::WaitFor(int events, absl::Time deadline) const {
  for (;;) {
    const absl::Duration left = deadline - Now();
    if (left <= absl::ZeroDuration()) return false;
    const int64_t ms = std::min<int64_t>(
        absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))),
        INT_MAX);
    pollfd state = {fd_, static_cast<decltype(pollfd::events)>(events), 0};
    const int count = poll(&state, 1, static_cast<int>(ms));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    GetIpAndPort(address, length, ip, port);
  }
}

void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    GetIpAndPort(address, length, ip, port);
  }
}

}  // namespace hybridserve::http
