#ifndef HYBRIDSERVE_CLIENT_TOP_SCREEN_H_
#define HYBRIDSERVE_CLIENT_TOP_SCREEN_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace hybridserve {

struct ScreenSize {
  int columns = 80;
  int rows = 24;
};

// Frames of text, one after the other. On a terminal each takes the place of
// the one before, on the terminal's second screen, which goes away at the end;
// elsewhere each is printed, with an empty line after it and no escape codes.
// Thread-compatible.
class Screen {
 public:
  // `out` outlives it.
  Screen(std::ostream& out, bool is_terminal);
  // Gives back the terminal as it was.
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // On a terminal no more than `rows` lines are shown: those that don't fit
  // are left out at the end, which is said.
  void Show(absl::Span<const std::string> lines, int rows);

 private:
  std::ostream& out_;
  const bool is_terminal_;
};

// True if file descriptor 1 is a terminal.
bool StdoutIsTerminal();

// Of the terminal on file descriptor 1; without one, $COLUMNS wide if that is a
// number. At least 20 columns and 2 rows.
ScreenSize StdoutSize();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_TOP_SCREEN_H_
