#include "client/top/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hybridserve {
namespace {

// xterm's, which all terminals of today know.
constexpr char kEnter[] = "\033[?1049h\033[?25l";  // Second screen, no cursor.
constexpr char kLeave[] = "\033[?25h\033[?1049l";
constexpr char kHome[] = "\033[H";
constexpr char kClearLine[] = "\033[K";
constexpr char kClearBelow[] = "\033[J";

constexpr int kMinColumns = 20;
constexpr int kMinRows = 2;

}  // namespace

Screen::Screen(std::ostream& out, bool is_terminal)
    : out_(out), is_terminal_(is_terminal) {
  if (is_terminal_) out_ << kEnter << std::flush;
}

Screen::~Screen() {
  if (is_terminal_) out_ << kLeave << std::flush;
}

void Screen::Show(absl::Span<const std::string> lines, int rows) {
  std::string frame;
  if (!is_terminal_) {
    for (const std::string& line : lines) absl::StrAppend(&frame, line, "\n");
    out_ << frame << "\n" << std::flush;
    return;
  }
  const auto num_lines = static_cast<int>(lines.size());
  const int shown = num_lines <= rows ? num_lines : rows - 1;
  absl::StrAppend(&frame, kHome);
  for (int i = 0; i < shown; ++i) {
    // The last line has no end, or the terminal would scroll.
    absl::StrAppend(&frame, i == 0 ? "" : "\r\n", lines[i], kClearLine);
  }
  if (shown < num_lines) {
    absl::StrAppend(&frame, "\r\n(", num_lines - shown, " more lines)",
                    kClearLine);
  }
  // At once, so that nobody sees half a frame.
  out_ << frame << kClearBelow << std::flush;
}

bool StdoutIsTerminal() { return isatty(STDOUT_FILENO) == 1; }

ScreenSize StdoutSize() {
  ScreenSize size;
  winsize window = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    size = {.columns = window.ws_col, .rows = window.ws_row};
  } else if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    int number = 0;
    if (absl::SimpleAtoi(columns, &number)) {
      size.columns = std::min(number, 10'000);
    }
  }
  size.columns = std::max(size.columns, kMinColumns);
  size.rows = std::max(size.rows, kMinRows);
  return size;
}

}  // namespace hybridserve
