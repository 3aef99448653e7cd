#include "client/top/top_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/size.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kBusy = "█";
constexpr absl::string_view kKv = "█";
constexpr absl::string_view kAct = "▒";
constexpr absl::string_view kCached = "░";
constexpr absl::string_view kNothing = "·";
constexpr absl::string_view kCut = "…";

// What stands around a bar: a label before it, figures after it.
constexpr int kAroundBar = 52;
constexpr int kMinBar = 8;
constexpr int kMaxBar = 40;

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// Code points; everything drawn here is one column wide.
int ColumnsOf(absl::string_view text) {
  return static_cast<int>(
      text.size() - std::count_if(text.begin(), text.end(), IsContinuation));
}

// At most `width` columns; what is cut ends in an ellipsis.
std::string Cut(std::string line, int width) {
  if (ColumnsOf(line) <= width) return line;
  size_t end = 0;
  for (int columns = 0; end < line.size(); ++end) {
    if (!IsContinuation(line[end]) && ++columns == width) break;
  }
  line.resize(end);
  return absl::StrCat(line, kCut);
}

// Names come from elsewhere: control characters, which could move the cursor,
// are shown as '?'. Those of U+0080 to U+009F are two bytes, 0xc2 first.
std::string Plain(absl::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool two_bytes = byte == 0xc2 && i + 1 < text.size() &&
                           static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (two_bytes || byte < 0x20 || byte == 0x7f) {
      plain.push_back('?');
      i += two_bytes ? 1 : 0;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

// "12.3", "4.5k", "6.7M".
std::string Rate(double per_second) {
  if (per_second < 1e3) return absl::StrFormat("%.1f", per_second);
  if (per_second < 1e6) return absl::StrFormat("%.1fk", per_second / 1e3);
  return absl::StrFormat("%.1fM", per_second / 1e6);
}

// "1234", "56.7k".
std::string Count(int64_t count) {
  return count < 10'000 ? absl::StrCat(count)
                        : Rate(static_cast<double>(count));
}

std::string Count(const TopCount& count, absl::string_view what) {
  return count.more > 0 ? absl::StrFormat("%s %s (+%s)", Count(count.total),
                                          what, Count(count.more))
                        : absl::StrCat(Count(count.total), " ", what);
}

std::string Bytes(double per_second) {
  return FormatSize(static_cast<int64_t>(per_second)) + "/s";
}

std::string Time(double seconds) {
  if (seconds < 1e-3) return absl::StrFormat("%.0f us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.0f ms", seconds * 1e3);
  return absl::StrFormat("%.2f s", seconds);
}

std::string Row(absl::string_view label, absl::string_view bar, double share,
                absl::string_view note) {
  return absl::StrFormat("  %-8s %s %3.0f%%%s%s", label, bar, 100 * share,
                         note.empty() ? "" : "  ", note);
}

std::string LinkNote(const TopLinkRates& link) {
  if (link.in() <= 0) return "";
  std::vector<std::string> parts;
  const auto add = [&](absl::string_view what, double rate) {
    if (rate > 0) parts.push_back(absl::StrCat(what, " ", Bytes(rate)));
  };
  add("weights", link.weight);
  add("KV", link.kv);
  add("ACT", link.act);
  add("other", link.other);
  return absl::StrJoin(parts, ", ");
}

std::string PoolRow(const TopPool& pool, int bar_width) {
  const auto whole = static_cast<double>(pool.half_slots);
  const auto kv = static_cast<double>(2 * pool.kv_blocks);
  const auto act = static_cast<double>(pool.act_blocks);
  const auto cached = static_cast<double>(pool.cached);
  return Row(
      pool.tier,
      DrawBar({{kv, kKv}, {act, kAct}, {cached, kCached}}, whole, bar_width),
      whole > 0 ? 1 - static_cast<double>(pool.free + pool.cached) / whole : 0,
      absl::StrFormat("%s KV %s, %s ACT %s, %s of %s half-slots free", kKv,
                      Count(pool.kv_blocks), kAct, Count(pool.act_blocks),
                      Count(pool.free), Count(pool.half_slots)));
}

std::string StepNote(const TopWorker& worker) {
  std::string note = worker.step_s.has_value()
                         ? absl::StrCat("step ", Time(*worker.step_s))
                         : "no step";
  if (worker.predicted_step_s.has_value()) {
    absl::StrAppend(&note, " (predicted ", Time(*worker.predicted_step_s), ")");
  }
  return note;
}

double ShareOf(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void AddWorker(const TopWorker& worker, int bar_width,
               std::vector<std::string>& lines) {
  lines.push_back("");
  lines.push_back(absl::StrFormat("worker %d  %s  %s  %s on %s", worker.id,
                                  worker.state, worker.name, worker.model,
                                  worker.device));
  lines.push_back(absl::StrFormat(
      "  %s running, %s; tokens/s: %s prompt, %s generated; %s preemptions",
      Count(worker.running), StepNote(worker), Rate(worker.prompt_tokens_per_s),
      Rate(worker.generated_tokens_per_s), Count(worker.preemptions)));
  const auto busy = [&](absl::string_view label, double share,
                        const std::string& note) {
    lines.push_back(
        Row(label, DrawBar({{share, kBusy}}, 1, bar_width), share, note));
  };
  busy("link", worker.link_busy, LinkNote(worker.link));
  busy("compute", worker.compute_busy, "");
  busy("copy-out", worker.copy_out_busy,
       worker.link.write_back > 0 ? Bytes(worker.link.write_back) : "");
  for (const TopPool& pool : worker.pools) {
    if (pool.half_slots > 0) lines.push_back(PoolRow(pool, bar_width));
  }
}

void AddLoading(const TopLoading& worker, int bar_width,
                std::vector<std::string>& lines) {
  lines.push_back("");
  lines.push_back(absl::StrFormat("loading   %s  %s  %s", worker.name,
                                  worker.model, worker.stage));
  const double loaded = ShareOf(worker.loaded_bytes, worker.total_bytes);
  lines.push_back(
      Row("weights", DrawBar({{loaded, kBusy}}, 1, bar_width), loaded,
          absl::StrFormat("%s of %s", FormatSize(worker.loaded_bytes),
                          FormatSize(worker.total_bytes))));
}

}  // namespace

std::string DrawBar(absl::Span<const BarPart> parts, double whole, int width) {
  std::string bar;
  double amount = 0;
  int drawn = 0;
  for (const BarPart& part : parts) {
    amount += part.amount;
    const double share = whole > 0 ? std::min(amount / whole, 1.0) : 0;
    const int end = static_cast<int>(std::lround(share * width));
    for (; drawn < end; ++drawn) absl::StrAppend(&bar, part.glyph);
  }
  for (; drawn < width; ++drawn) absl::StrAppend(&bar, kNothing);
  return bar;
}

std::vector<std::string> DrawTop(const TopView& view, absl::string_view server,
                                 int width) {
  const int bar_width = std::clamp(width - kAroundBar, kMinBar, kMaxBar);
  std::vector<std::string> lines;
  lines.push_back(absl::StrFormat("hybridserve top  %s  last %s", server,
                                  Time(view.elapsed_s)));
  lines.push_back(absl::StrFormat(
      "%s running, %s waiting (%s tokens); tokens/s: %s prompt, %s generated",
      Count(view.running), Count(view.waiting), Count(view.waiting_tokens),
      Rate(view.prompt_tokens_per_s), Rate(view.generated_tokens_per_s)));
  lines.push_back(absl::StrJoin(
      {Count(view.finished, "finished"), Count(view.cancelled, "cancelled"),
       Count(view.failed, "failed"), Count(view.rejected, "refused"),
       Count(view.preemptions, "preemptions"), Count(view.replays, "replays")},
      ", "));
  // The limit that is nearer.
  const double full =
      std::min(1.0, std::max(ShareOf(view.waiting, view.max_requests),
                             ShareOf(view.waiting_tokens, view.max_tokens)));
  lines.push_back(
      Row("queue", DrawBar({{full, kBusy}}, 1, bar_width), full,
          absl::StrFormat("%s of %s requests, %s of %s tokens",
                          Count(view.waiting), Count(view.max_requests),
                          Count(view.waiting_tokens), Count(view.max_tokens))));
  for (const TopWorker& worker : view.workers) {
    AddWorker(worker, bar_width, lines);
  }
  if (view.workers.empty()) {
    lines.push_back("");
    lines.push_back("no worker has registered");
  }
  for (const TopLoading& worker : view.loading) {
    AddLoading(worker, bar_width, lines);
  }
  for (std::string& line : lines) line = Cut(Plain(line), width);
  return lines;
}

}  // namespace hybridserve
