#include "client/chart/svg_writer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD.

// Bytes of the UTF-8 character that `text` begins with; 0: none.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  size_t length = 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) length = 2;
  if (lead >= 0xE0 && lead < 0xF0) length = 3;
  if (lead >= 0xF0 && lead < 0xF5) length = 4;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF, U+FFFE and U+FFFF.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0) ||
      (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90) ||
      (lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE)) {
    return 0;
  }
  return length;
}

absl::string_view AnchorName(SvgAnchor anchor) {
  switch (anchor) {
    case SvgAnchor::kStart:
      return "start";
    case SvgAnchor::kMiddle:
      return "middle";
    case SvgAnchor::kEnd:
      return "end";
  }
  return "start";
}

std::string StrokeAttributes(const SvgStroke& stroke) {
  return absl::StrFormat("stroke=\"%s\" stroke-width=\"%.2f\"%s",
                         EscapeXml(stroke.colour), stroke.width,
                         stroke.dashed ? " stroke-dasharray=\"5 4\"" : "");
}

}  // namespace

std::string EscapeXml(absl::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const absl::string_view character = text.substr(0, length);
    const unsigned char first = static_cast<unsigned char>(text[0]);
    if (length == 0 || (first < 0x20 && first != '\t' && first != '\n')) {
      absl::StrAppend(&escaped, kReplacement);
    } else if (first == '&') {
      absl::StrAppend(&escaped, "&amp;");
    } else if (first == '<') {
      absl::StrAppend(&escaped, "&lt;");
    } else if (first == '>') {
      absl::StrAppend(&escaped, "&gt;");
    } else if (first == '"') {
      absl::StrAppend(&escaped, "&quot;");
    } else {
      absl::StrAppend(&escaped, character);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return escaped;
}

SvgWriter::SvgWriter(double width, double height, absl::string_view title)
    : body_(absl::StrFormat(
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
          "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
          "font-family=\"'Helvetica Neue', Arial, 'DejaVu Sans', "
          "sans-serif\">\n<title>%s</title>\n",
          width, height, width, height, EscapeXml(title))) {}

void SvgWriter::Rectangle(SvgPoint corner, double width, double height,
                          absl::string_view fill) {
  absl::StrAppendFormat(&body_,
                        "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
                        "height=\"%.2f\" fill=\"%s\"/>\n",
                        corner.x, corner.y, width, height, EscapeXml(fill));
}

void SvgWriter::Line(SvgPoint from, SvgPoint to, const SvgStroke& stroke) {
  absl::StrAppendFormat(
      &body_, "<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" %s/>\n",
      from.x, from.y, to.x, to.y, StrokeAttributes(stroke));
}

void SvgWriter::Polyline(const std::vector<SvgPoint>& points,
                         const SvgStroke& stroke) {
  absl::StrAppend(&body_, "<polyline fill=\"none\" stroke-linejoin=\"round\" ",
                  StrokeAttributes(stroke), " points=\"");
  for (const SvgPoint& point : points) {
    absl::StrAppendFormat(&body_, "%.2f,%.2f ", point.x, point.y);
  }
  absl::StrAppend(&body_, "\"/>\n");
}

void SvgWriter::Circle(SvgPoint centre, double radius, absl::string_view fill) {
  absl::StrAppendFormat(
      &body_, "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\" fill=\"%s\"/>\n",
      centre.x, centre.y, radius, EscapeXml(fill));
}

void SvgWriter::Text(SvgPoint point, absl::string_view text,
                     const SvgTextStyle& style) {
  absl::StrAppendFormat(
      &body_,
      "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.1f\" text-anchor=\"%s\" "
      "fill=\"%s\"%s",
      point.x, point.y, style.size, AnchorName(style.anchor),
      EscapeXml(style.colour), style.bold ? " font-weight=\"600\"" : "");
  if (style.upwards) {
    absl::StrAppendFormat(&body_, " transform=\"rotate(-90 %.2f %.2f)\"",
                          point.x, point.y);
  }
  absl::StrAppend(&body_, ">", EscapeXml(text), "</text>\n");
}

std::string SvgWriter::Finish() const {
  return absl::StrCat(body_, "</svg>\n");
}

}  // namespace hybridserve
