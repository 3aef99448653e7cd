#ifndef HYBRIDSERVE_TESTS_LOAD_TOKEN_CHAIN_H_
#define HYBRIDSERVE_TESTS_LOAD_TOKEN_CHAIN_H_

#include <cstdint>

namespace hybridserve {

// What the simulated model says: its next token is a hash of all tokens before
// it. So a token that is lost, doubled or misplaced changes all that follow,
// and who knows the prompt knows the output.
//
// Thread-compatible.
class TokenChain {
 public:
  void Append(int32_t token) {
    hash_ = (hash_ ^ static_cast<uint64_t>(token + 1)) * 0x9E3779B97F4A7C15ULL;
    hash_ ^= hash_ >> 29;
    ++size_;
  }

  // A printable ASCII character of the byte model (load_model.h), never eos.
  int32_t Next() const { return 32 + static_cast<int32_t>((hash_ >> 8) % 95); }

  int64_t size() const { return size_; }

 private:
  uint64_t hash_ = 1;
  int64_t size_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_TOKEN_CHAIN_H_
