#include "client/chart/svg_writer.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(EscapeXmlTest, KeepsTextAndHidesMarkup) {
  EXPECT_EQ(EscapeXml("plain, größer 数"), "plain, größer 数");
  EXPECT_EQ(EscapeXml("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
  EXPECT_EQ(EscapeXml("]]>"), "]]&gt;");
}

TEST(EscapeXmlTest, ReplacesWhatXmlCannotHold) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(EscapeXml("a\x01z"), "a" + replacement + "z");
  EXPECT_EQ(EscapeXml("a\xFFz"), "a" + replacement + "z");
  EXPECT_EQ(EscapeXml("\xE6\x95"), replacement + replacement);  // Cut short.
  EXPECT_EQ(EscapeXml("\xC0\xAF"), replacement + replacement);  // Overlong.
  EXPECT_EQ(EscapeXml("\xEF\xBF\xBF"),                          // U+FFFF.
            replacement + replacement + replacement);
}

TEST(SvgWriterTest, WritesShapesInOrder) {
  SvgWriter svg(100, 50, "A & B");
  svg.Rectangle({1, 2}, 3, 4, "#ffffff");
  svg.Line({0, 0}, {1, 1}, {.colour = "#000000", .dashed = true});
  svg.Polyline({{0, 0}, {2, 3}}, {});
  svg.Circle({5, 5}, 2, "#123456");
  svg.Text({7, 8}, "x < y", {.anchor = SvgAnchor::kEnd, .upwards = true});
  const std::string text = svg.Finish();
  EXPECT_EQ(text.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\" "
                       "width=\"100\" height=\"50\"",
                       0),
            0);
  size_t at = 0;
  for (const char* part :
       {"<title>A &amp; B</title>",
        "<rect x=\"1.00\" y=\"2.00\" width=\"3.00\" height=\"4.00\"",
        "<line x1=\"0.00\" y1=\"0.00\" x2=\"1.00\" y2=\"1.00\"",
        "stroke-dasharray", "points=\"0.00,0.00 2.00,3.00 \"",
        "<circle cx=\"5.00\"", "text-anchor=\"end\"", "rotate(-90 7.00 8.00)",
        "x &lt; y</text>", "</svg>"}) {
    const size_t found = text.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " in " << text;
    at = found;
  }
}

}  // namespace
}  // namespace hybridserve
