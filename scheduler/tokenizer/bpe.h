#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_BPE_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_BPE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// What a vocabulary is written in, and a piece's first symbols are.
enum class BpeAlphabet {
  kBytes,  // Bytes, in the byte alphabet (byte_level.h).
  // Characters; one without an entry becomes its bytes, written "<0xE2>". As
  // SentencePiece's BPE with byte fallback.
  kCharacters,
};

// "<0xE2>": how a vocabulary of characters writes a byte.
std::string ByteToken(uint8_t byte);

// What a model's files say about its byte-pair encoding.
struct BpeSpec {
  std::string file;  // Named in errors: "tokenizer.json: model".
  absl::flat_hash_map<std::string, int32_t> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // Best first.
  BpeAlphabet alphabet = BpeAlphabet::kBytes;
  std::string unk_token;       // Stands for bytes without an entry; may be "".
  bool fuse_unk = false;       // Neighbouring unknown bytes become one token.
  bool ignore_merges = false;  // A piece that is an entry is that token.
};

// Byte-pair encoding (Sennrich et al. 2016) of one piece at a time.
//
// Thread-safe: immutable.
class BpeModel {
 public:
  // The memory of one call after the other, to save allocations.
  class Workspace {
   private:
    friend class BpeModel;
    struct Symbol {
      int32_t id;        // kMerged: swallowed by a symbol to the left.
      int32_t previous;  // Index of the neighbour, -1 at an end.
      int32_t next;
    };
    struct Candidate {
      int32_t rank;
      int32_t position;
      int32_t merged_id;
    };
    std::vector<Symbol> symbols_;
    std::vector<Candidate> candidates_;  // A heap.
  };

  // InvalidArgument if ids are negative or given twice, if a merge or the
  // unknown token uses what the vocabulary lacks, or if characters have no
  // bytes to fall back to.
  static absl::StatusOr<BpeModel> Create(BpeSpec spec);

  // Appends the tokens of `piece` (bytes, below 2^31 of them; valid UTF-8 if
  // characters are wanted) to `ids`, in O(n log n). Bytes without an entry
  // become the unknown token or, if there is none, nothing: the same as
  // `tokenizers`.
  void Encode(absl::string_view piece, Workspace& workspace,
              std::vector<int32_t>& ids) const;

  // Of an entry as it is written.
  std::optional<int32_t> TokenToId(absl::string_view token) const;

  const absl::flat_hash_map<std::string, int32_t>& vocab() const {
    return vocab_;
  }

 private:
  struct Merge {
    int32_t rank;
    int32_t merged_id;
  };
  static constexpr int32_t kNone = -1;

  BpeModel() = default;
  static uint64_t PairKey(int32_t left, int32_t right);
  absl::Status AddMerges(const BpeSpec& spec);
  // Of `vocab_`, which is there, for each byte.
  absl::Status SetByteIds(const BpeSpec& spec);
  void FillSymbols(absl::string_view piece, Workspace& workspace) const;
  void FillBytes(absl::string_view piece, Workspace& workspace) const;
  void FillCharacters(absl::string_view piece, Workspace& workspace) const;
  void PushCandidate(int32_t position, Workspace& workspace) const;
  void MergeSymbols(Workspace& workspace) const;

  absl::flat_hash_map<std::string, int32_t> vocab_;
  absl::flat_hash_map<uint64_t, Merge> merges_;  // By PairKey().
  BpeAlphabet alphabet_ = BpeAlphabet::kBytes;
  std::array<int32_t, 256> byte_ids_;  // kNone: no entry.
  int32_t unk_id_ = kNone;
  bool fuse_unk_ = false;
  absl::flat_hash_map<std::string, int32_t> whole_pieces_;  // ignore_merges.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_BPE_H_
