#include "kernels/panel_layout.h"

#include <cstring>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "kernels/element_convert.h"

namespace hybridserve {
namespace {

// weight(n, k) = 100 n + k, exact in every dtype for small n and k.
std::vector<char> Rows(int64_t n, int64_t k, DType dtype) {
  std::vector<float> values;
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t c = 0; c < k; ++c) {
      values.push_back(static_cast<float>(100 * r + c));
    }
  }
  std::vector<char> bytes(values.size() * SizeOf(dtype));
  ConvertElements(DType::kFloat32, values.data(), dtype, bytes.data(),
                  static_cast<int64_t>(values.size()));
  return bytes;
}

TEST(PanelLayoutTest, SizesAreWholePanels) {
  const PanelLayout layout;
  EXPECT_EQ(layout.piece_alignment(), 16);
  EXPECT_EQ(layout.PackedBytes({16, 10, DType::kFloat32}), 16 * 10 * 4);
  EXPECT_EQ(layout.PackedBytes({17, 10, DType::kFloat32}), 32 * 10 * 4);
  EXPECT_EQ(layout.PackedBytes({16, 9, DType::kBFloat16}), 16 * 10 * 2);
  EXPECT_EQ(layout.PackedBytes({0, 9, DType::kFloat32}), 0);
}

TEST(PanelLayoutTest, Float32PanelsAreByInputFeature) {
  const WeightShape shape{18, 3, DType::kFloat32};
  for (const DType source :
       {DType::kFloat32, DType::kBFloat16, DType::kFloat16}) {
    std::vector<char> blob(PanelLayout().PackedBytes(shape), 'x');
    ASSERT_THAT(PanelLayout().Pack(shape, source, Rows(18, 3, source),
                                   absl::MakeSpan(blob)),
                IsOk());
    std::vector<float> floats(blob.size() / 4);
    std::memcpy(floats.data(), blob.data(), blob.size());
    for (int64_t k = 0; k < 3; ++k) {
      for (int64_t n = 0; n < 3; ++n) {
        EXPECT_EQ(floats[k * 16 + n], static_cast<float>(100 * n + k));
      }
      EXPECT_EQ(floats[48 + k * 16 + 2], 0);  // Past n = 18.
    }
  }
}

TEST(PanelLayoutTest, BFloat16PanelsPairInputFeatures) {
  const WeightShape shape{2, 3, DType::kBFloat16};
  std::vector<char> blob(PanelLayout().PackedBytes(shape), 'x');
  ASSERT_THAT(
      PanelLayout().Pack(shape, DType::kFloat32, Rows(2, 3, DType::kFloat32),
                         absl::MakeSpan(blob)),
      IsOk());
  const auto at = [&](int64_t i) {
    uint16_t bits;
    std::memcpy(&bits, blob.data() + 2 * i, sizeof(bits));
    return BFloat16ToFloat(bits);
  };
  EXPECT_EQ(at(0), 0);     // n 0, k 0
  EXPECT_EQ(at(1), 1);     // n 0, k 1
  EXPECT_EQ(at(2), 100);   // n 1, k 0
  EXPECT_EQ(at(3), 101);   // n 1, k 1
  EXPECT_EQ(at(4), 0);     // n 2: past the end.
  EXPECT_EQ(at(32), 2);    // n 0, k 2
  EXPECT_EQ(at(33), 0);    // k 3: past the end.
  EXPECT_EQ(at(34), 102);  // n 1, k 2
}

TEST(PanelLayoutTest, APieceIsTheWholesPanels) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    const std::vector<char> rows = Rows(40, 7, DType::kFloat32);
    std::vector<char> whole(PanelLayout().PackedBytes({40, 7, dtype}));
    std::vector<char> piece(PanelLayout().PackedBytes({24, 7, dtype}));
    ASSERT_THAT(PanelLayout().Pack({40, 7, dtype}, DType::kFloat32, rows,
                                   absl::MakeSpan(whole)),
                IsOk());
    ASSERT_THAT(PanelLayout().Pack(
                    {24, 7, dtype}, DType::kFloat32,
                    absl::MakeConstSpan(rows).subspan(size_t{16} * 7 * 4),
                    absl::MakeSpan(piece)),
                IsOk());
    EXPECT_EQ(std::memcmp(whole.data() + PanelBytes(7, dtype), piece.data(),
                          piece.size()),
              0);
  }
}

TEST(PanelLayoutTest, RefusesWrongSizesAndTypes) {
  const WeightShape shape{2, 3, DType::kFloat32};
  std::vector<char> blob(PanelLayout().PackedBytes(shape));
  const std::vector<char> rows = Rows(2, 3, DType::kFloat32);
  const auto pack = [&](WeightShape to, DType source, size_t bytes,
                        size_t blob_bytes) {
    return PanelLayout().Pack(to, source,
                              absl::MakeConstSpan(rows).subspan(0, bytes),
                              absl::MakeSpan(blob).subspan(0, blob_bytes));
  };
  EXPECT_THAT(pack(shape, DType::kFloat32, 20, blob.size()),
              StatusIs(absl::StatusCode::kInvalidArgument, "20 bytes"));
  EXPECT_THAT(pack(shape, DType::kFloat32, 24, 8),
              StatusIs(absl::StatusCode::kInvalidArgument, "8, not"));
  EXPECT_THAT(pack(shape, DType::kInt32, 24, blob.size()),
              StatusIs(absl::StatusCode::kInvalidArgument, "int32"));
  EXPECT_THAT(pack({2, 3, DType::kFloat16}, DType::kFloat32, 24, blob.size()),
              StatusIs(absl::StatusCode::kInvalidArgument, "float16"));
}

}  // namespace
}  // namespace hybridserve
