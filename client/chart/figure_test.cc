#include "client/chart/figure.h"

#include <cstddef>
#include <string>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

Figure Bars() {
  return {.title = "Throughput",
          .subtitle = "a model",
          .panels = {BarPanel{
              .title = "All",
              .y_label = "tokens/s",
              .bound_label = "ideal",
              .bars = {{.label = "kv", .value = {10, 9, 12}, .colour = 0},
                       {.label = "act <new>",
                        .value = {20, 20, 20},
                        .bound = 24,
                        .colour = 1}}}},
          .captions = {"one & two", "three"}};
}

TEST(ToSvgTest, DrawsABarForEachValue) {
  const std::string svg = ToSvg(Bars());
  EXPECT_EQ(Count(svg, "fill=\"" + ChartColour(0) + "\""), 1);
  EXPECT_EQ(Count(svg, "fill=\"" + ChartColour(1) + "\""), 1);
  EXPECT_EQ(Count(svg, ">kv</text>"), 1);
  EXPECT_EQ(Count(svg, ">act &lt;new&gt;</text>"), 1);
  EXPECT_EQ(Count(svg, ">tokens/s</text>"), 1);
  EXPECT_EQ(Count(svg, ">one &amp; two</text>"), 1);
  EXPECT_EQ(Count(svg, ">three</text>"), 1);
  // The legend's and the bar's own.
  EXPECT_EQ(Count(svg, "stroke-dasharray"), 2);
  EXPECT_EQ(Count(svg, ">ideal</text>"), 1);
}

TEST(ToSvgTest, ABarsHeightIsItsValue) {
  Figure figure = Bars();
  auto& bars = std::get<BarPanel>(figure.panels[0]).bars;
  const auto height = [&] {
    const std::string svg = ToSvg(figure);
    const size_t fill = svg.find("fill=\"" + ChartColour(0) + "\"");
    const size_t begin = svg.rfind("height=\"", fill) + 8;
    return std::stod(svg.substr(begin));
  };
  const double ten = height();
  bars[0].value = {5, 5, 5};
  EXPECT_NEAR(height(), ten / 2, 0.02);
}

TEST(ToSvgTest, WithoutABoundThereIsNoLegendForIt) {
  Figure figure = Bars();
  std::get<BarPanel>(figure.panels[0]).bars[1].bound.reset();
  EXPECT_EQ(Count(ToSvg(figure), ">ideal</text>"), 0);
}

TEST(ToSvgTest, DrawsALineForEachSeries) {
  const Figure figure = {
      .title = "Lines",
      .panels = {LinePanel{
          .x_label = "prompt tokens",
          .y_label = "tokens/s",
          .lines = {
              {.label = "kv", .points = {{128, {4, 4, 4}}, {512, {2, 1, 3}}}},
              {.label = "hybrid",
               .points = {{128, {5, 5, 5}}, {512, {3, 3, 3}}},
               .colour = 2}}}}};
  const std::string svg = ToSvg(figure);
  EXPECT_EQ(Count(svg, "<polyline"), 2);
  EXPECT_EQ(Count(svg, "<circle"), 4);
  EXPECT_EQ(Count(svg, ">prompt tokens</text>"), 1);
  EXPECT_EQ(Count(svg, ">512</text>"), 1);
  EXPECT_EQ(Count(svg, ">hybrid</text>"), 1);
}

TEST(ToSvgTest, AnEmptyFigureIsADocumentToo) {
  const std::string svg = ToSvg(Figure());
  EXPECT_EQ(svg.rfind("<svg ", 0), 0);
  EXPECT_EQ(Count(svg, "nan"), 0);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
}

}  // namespace
}  // namespace hybridserve
