#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "scheduler/tokenizer/bpe.h"
#include "scheduler/tokenizer/byte_level.h"
#include "scheduler/tokenizer/testing/tiny_tokenizer.h"
#include "scheduler/tokenizer/tokenizer.h"
#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {
namespace {

constexpr size_t kLetters = 8;

// An encoding of bytes, their ids their values, and of what its merges make.
struct Encoding {
  BpeSpec spec;
  std::vector<std::string> bytes_of;  // By id.
  // Rank of each pair of ids.
  absl::flat_hash_map<std::pair<int32_t, int32_t>, int32_t> ranks;
};

int32_t IdOf(Encoding& encoding, const std::string& bytes) {
  const auto next = static_cast<int32_t>(encoding.bytes_of.size());
  const auto [it, is_new] =
      encoding.spec.vocab.emplace(ByteLevelEncode(bytes), next);
  if (is_new) encoding.bytes_of.push_back(bytes);
  return it->second;
}

// Of bytes alone.
Encoding ByteEncoding() {
  Encoding encoding;
  encoding.spec.file = "fuzz";
  for (int byte = 0; byte < 256; ++byte) {
    IdOf(encoding, std::string(1, static_cast<char>(byte)));
  }
  return encoding;
}

// Each merge is two bytes, which choose among eight letters and what earlier
// merges made.
Encoding MakeEncoding(absl::string_view merges) {
  static const Encoding* const of_bytes = new Encoding(ByteEncoding());
  Encoding encoding = *of_bytes;
  for (size_t i = 0; i + 1 < merges.size(); i += 2) {
    const auto choose = [&](char byte) {
      const size_t made = encoding.bytes_of.size() - 256;
      const size_t choice = static_cast<uint8_t>(byte) % (kLetters + made);
      return static_cast<int32_t>(choice < kLetters ? 'a' + choice
                                                    : 256 + choice - kLetters);
    };
    const int32_t left = choose(merges[i]);
    const int32_t right = choose(merges[i + 1]);
    const std::string& left_bytes = encoding.bytes_of[left];
    const std::string& right_bytes = encoding.bytes_of[right];
    if (left_bytes.size() + right_bytes.size() > 64) continue;
    const auto rank = static_cast<int32_t>(encoding.spec.merges.size());
    encoding.spec.merges.emplace_back(ByteLevelEncode(left_bytes),
                                      ByteLevelEncode(right_bytes));
    encoding.ranks[{left, right}] = rank;
    IdOf(encoding, left_bytes + right_bytes);
  }
  return encoding;
}

// By the definition: the pair of the best rank, of those the leftmost, is
// joined, until no pair is left that can be.
std::vector<int32_t> EncodeSlowly(Encoding& encoding, absl::string_view text) {
  std::vector<int32_t> ids;
  for (const char byte : text) ids.push_back(static_cast<uint8_t>(byte));
  while (true) {
    size_t best = ids.size();
    int32_t best_rank = INT32_MAX;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto it = encoding.ranks.find({ids[i], ids[i + 1]});
      if (it == encoding.ranks.end() || it->second >= best_rank) continue;
      best = i;
      best_rank = it->second;
    }
    if (best == ids.size()) return ids;
    ids[best] = IdOf(encoding, encoding.bytes_of[ids[best]] +
                                   encoding.bytes_of[ids[best + 1]]);
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

void CheckBpe(absl::string_view merges, absl::string_view text) {
  Encoding encoding = MakeEncoding(merges);
  const absl::StatusOr<BpeModel> model = BpeModel::Create(encoding.spec);
  CHECK(model.ok()) << model.status();
  BpeModel::Workspace workspace;
  std::vector<int32_t> ids;
  model->Encode(text, workspace, ids);
  std::string again;
  for (const int32_t id : ids) again += encoding.bytes_of.at(id);
  CHECK(again == text) << "what was encoded is not what is decoded";
  CHECK(ids == EncodeSlowly(encoding, text)) << "merged in another order";
}

// A whole tokenizer, with specials, added tokens and pieces.
void CheckRoundTrip(absl::string_view text) {
  static const Tokenizer* const tokenizer = [] {
    auto made = Tokenizer::Create(TinyTokenizerFiles());
    CHECK(made.ok()) << made.status();
    return made->release();
  }();
  const auto ids = tokenizer->Encode(text, /*add_special_tokens=*/false);
  if (!ids.ok()) {
    CHECK(FindInvalidUtf8(text).has_value()) << ids.status();
    return;
  }
  CHECK(!FindInvalidUtf8(text).has_value());
  CHECK(tokenizer->Decode(*ids, /*skip_special_tokens=*/false) == text);
}

}  // namespace
}  // namespace hybridserve

// The input is a number of merges, the merges, and a text of any bytes. It is
// encoded as the definition of byte-pair encoding has it, and decoded again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t merges = 2 * (data[0] % 64);
  input.remove_prefix(1);
  // The slow way takes the square of it.
  const absl::string_view text =
      input.size() > merges ? input.substr(merges, 128) : "";
  hybridserve::CheckBpe(input.substr(0, merges), text);
  hybridserve::CheckRoundTrip(text);
  return 0;
}
