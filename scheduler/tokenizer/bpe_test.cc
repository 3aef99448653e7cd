#include "scheduler/tokenizer/bpe.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/tokenizer/byte_level.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// a b c ab bc abc aa aaaa, ids from 0.
BpeSpec SmallSpec() {
  BpeSpec spec;
  spec.file = "f";
  int32_t id = 0;
  for (const char* token : {"a", "b", "c", "ab", "bc", "abc", "aa", "aaaa"}) {
    spec.vocab[token] = id++;
  }
  spec.merges = {{"b", "c"}, {"a", "b"}, {"a", "bc"}, {"a", "a"}, {"aa", "aa"}};
  return spec;
}

std::vector<int32_t> Encode(const BpeModel& model, absl::string_view piece) {
  BpeModel::Workspace workspace;
  std::vector<int32_t> ids;
  model.Encode(piece, workspace, ids);
  return ids;
}

TEST(BpeModelTest, MergesTheBestPairFirst) {
  const BpeModel model = BpeModel::Create(SmallSpec()).value();
  EXPECT_THAT(Encode(model, ""), IsEmpty());
  EXPECT_THAT(Encode(model, "ab"), ElementsAre(3));
  EXPECT_THAT(Encode(model, "abc"), ElementsAre(5));     // a+bc, not ab+c.
  EXPECT_THAT(Encode(model, "aaa"), ElementsAre(6, 0));  // Leftmost first.
  EXPECT_THAT(Encode(model, "aaaaa"), ElementsAre(7, 0));
}

TEST(BpeModelTest, BytesWithoutAnEntry) {
  BpeSpec spec = SmallSpec();
  EXPECT_THAT(Encode(BpeModel::Create(spec).value(), "axxb"),
              ElementsAre(3));  // Dropped, and then a and b are neighbours.
  spec.unk_token = "c";
  EXPECT_THAT(Encode(BpeModel::Create(spec).value(), "axxb"),
              ElementsAre(0, 2, 2, 1));
  spec.fuse_unk = true;
  EXPECT_THAT(Encode(BpeModel::Create(spec).value(), "axxbx"),
              ElementsAre(0, 2, 4));  // The last unknown, c, joins b.
}

TEST(BpeModelTest, IgnoreMergesTakesWholePieces) {
  BpeSpec spec = SmallSpec();
  spec.vocab
      ["\xC4\xA0"
       "cab"] = 8;  // " cab", which no merges lead to.
  EXPECT_THAT(Encode(BpeModel::Create(spec).value(), " cab"),
              ElementsAre(2, 3));
  spec.ignore_merges = true;
  EXPECT_THAT(Encode(BpeModel::Create(spec).value(), " cab"), ElementsAre(8));
}

TEST(BpeModelTest, RefusesContradictions) {
  BpeSpec spec = SmallSpec();
  spec.merges.push_back({"c", "c"});
  EXPECT_THAT(BpeModel::Create(spec),
              StatusIs(kInvalid, "f.merges[5]: \"cc\" is not in the vocab"));
  spec = SmallSpec();
  spec.vocab["d"] = 3;
  EXPECT_THAT(BpeModel::Create(spec), StatusIs(kInvalid, "given twice"));
  spec = SmallSpec();
  spec.unk_token = "<unk>";
  EXPECT_THAT(BpeModel::Create(spec), StatusIs(kInvalid, "f.unk_token"));
  spec = SmallSpec();
  spec.vocab["d"] = -1;
  EXPECT_THAT(BpeModel::Create(spec), StatusIs(kInvalid, "negative"));
}

// The definition: the best pair of all, leftmost among equals, joined until
// there is none.
std::vector<int32_t> EncodeSlowly(const BpeSpec& spec,
                                  const std::string& piece) {
  std::vector<std::string> symbols;
  for (const char c : piece) symbols.emplace_back(1, c);
  while (true) {
    size_t best_rank = spec.merges.size();
    size_t best = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (spec.merges[rank] == std::pair(symbols[i], symbols[i + 1])) {
          best_rank = rank;
          best = i;
        }
      }
    }
    if (best_rank == spec.merges.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<int64_t>(best) + 1);
  }
  std::vector<int32_t> ids;
  ids.reserve(symbols.size());
  for (const std::string& symbol : symbols) {
    ids.push_back(spec.vocab.at(symbol));
  }
  return ids;
}

TEST(BpeModelTest, AgreesWithTheDefinitionOnRandomMerges) {
  std::mt19937 rng(20240917);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    BpeSpec spec;
    std::vector<std::string> tokens = {"a", "b", "c"};
    for (int i = 0; i < 12; ++i) {
      const std::string left = tokens[rng() % tokens.size()];
      const std::string right = tokens[rng() % tokens.size()];
      // One way to each token: several ways may tie differently.
      const std::string joined = left + right;
      if (std::find(tokens.begin(), tokens.end(), joined) != tokens.end()) {
        continue;
      }
      spec.merges.emplace_back(left, right);
      tokens.push_back(joined);
    }
    for (const std::string& token : tokens) {
      spec.vocab.emplace(token, static_cast<int32_t>(spec.vocab.size()));
    }
    const BpeModel model = BpeModel::Create(spec).value();
    for (int i = 0; i < 20; ++i) {
      std::string piece(rng() % 30, ' ');
      for (char& c : piece) c = static_cast<char>('a' + rng() % 3);
      ASSERT_EQ(Encode(model, piece), EncodeSlowly(spec, piece)) << piece;
    }
  }
}

// Quadratic time would be hours.
TEST(BpeModelTest, ALongRunOfOneLetterIsNoWork) {
  const BpeModel model = BpeModel::Create(SmallSpec()).value();
  const std::vector<int32_t> ids = Encode(model, std::string(1 << 20, 'a'));
  EXPECT_EQ(ids, std::vector<int32_t>(1 << 18, 7));
}

}  // namespace
}  // namespace hybridserve
