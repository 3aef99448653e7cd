#include "worker/resident_share.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

// 10 bytes of vectors; a matrix of two pieces, 40 bytes; one of 50.
LayerPlan Layer() {
  LayerPlan layer;
  layer.vector_bytes = 10;
  layer.pieces = {{.weight = LinearWeight::kKey, .bytes = 20},
                  {.weight = LinearWeight::kKey, .bytes = 20},
                  {.weight = LinearWeight::kFc1, .bytes = 50}};
  layer.bytes = 100;
  return layer;
}

TEST(ResidentShareTest, AllOrNothing) {
  EXPECT_THAT(ResidentLayerParts(Layer(), 100), Each(true));
  EXPECT_THAT(ResidentLayerParts(Layer(), 0), Each(false));
  EXPECT_TRUE(HeadIsResident(100));
  EXPECT_FALSE(HeadIsResident(0));
}

// The middles lie at 5, 30 and 75.
TEST(ResidentShareTest, WhatHasItsMiddleInTheLastPart) {
  EXPECT_THAT(ResidentLayerParts(Layer(), 24),
              ElementsAre(false, false, false, false));
  EXPECT_THAT(ResidentLayerParts(Layer(), 25),
              ElementsAre(false, false, false, true));
  EXPECT_THAT(ResidentLayerParts(Layer(), 71),
              ElementsAre(false, true, true, true));
  EXPECT_THAT(ResidentLayerParts(Layer(), 94),
              ElementsAre(false, true, true, true));
  EXPECT_THAT(ResidentLayerParts(Layer(), 96),
              ElementsAre(true, true, true, true));
}

TEST(ResidentShareTest, TheHeadIsWhole) {
  EXPECT_FALSE(HeadIsResident(49));
  EXPECT_TRUE(HeadIsResident(50));
}

}  // namespace
}  // namespace hybridserve
