#include "common/cache/table_hash.h"

#include <cstdint>
#include <set>
#include <vector>

#include "common/cache/block_ref.h"
#include "common/ids.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

BlockRef Kv(int32_t first, int32_t second) {
  return {CacheKind::kKv, Tier::kHost, HalfSlot(first), HalfSlot(second)};
}

// Computed by a few lines of Python from the definition in the header: other
// implementations can be held to them.
TEST(TableHashTest, MatchesItsDefinition) {
  EXPECT_EQ(BlockTableHash({}), 0xcbf29ce484222325U);
  EXPECT_EQ(BlockTableHash({Kv(1, 2)}), 0x5708007c25608a69U);
  const BlockRef act = {CacheKind::kAct, Tier::kDevice, HalfSlot(0x01020304)};
  EXPECT_EQ(BlockTableHash({Kv(7, 3), act}), 0x2246d1ca3d09c497U);
}

TEST(TableHashTest, TellsEveryFieldAndOrderApart) {
  const BlockRef base = Kv(5, 6);
  BlockRef kind = base;
  kind.kind = CacheKind::kAct;
  BlockRef tier = base;
  tier.tier = Tier::kDevice;
  const std::vector<std::vector<BlockRef>> tables = {
      {},           {base},       {kind},       {tier},
      {Kv(6, 5)},   {Kv(5, 0)},   {Kv(4, 6)},   {base, kind},
      {kind, base}, {base, base}, {Kv(5, 262)}, {Kv(261, 6)},
  };
  std::set<uint64_t> hashes;
  for (const std::vector<BlockRef>& table : tables) {
    EXPECT_TRUE(hashes.insert(BlockTableHash(table)).second)
        << "table " << hashes.size();
  }
}

}  // namespace
}  // namespace hybridserve
