#include "common/crash_handler.h"

#include <signal.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

// glog's handler, and not Abseil's: it unwinds by the tables that all code has,
// while Abseil's follows frame pointers, which Debian's libraries do without.

namespace hybridserve {
namespace {

// Written when the handler is installed: a signal handler may not allocate.
char who_crashed[256];
size_t who_crashed_size = 0;
volatile sig_atomic_t said_who = 0;

void WriteAll(const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(STDERR_FILENO, data, size);
    if (written <= 0) return;  // Nothing is left that could be told.
    data += written;
    size -= static_cast<size_t>(written);
  }
}

// glog's failure writer: called piece by piece, in the signal handler.
void WritePiece(const char* data, size_t size) {
  if (said_who == 0) {
    said_who = 1;
    WriteAll(who_crashed, who_crashed_size);
  }
  WriteAll(data, size);
}

// Not [[noreturn]]: to Clang that is no part of the type, which glog wants.
__attribute__((noreturn)) void Abort() { std::abort(); }

}  // namespace

void InstallCrashHandler(absl::string_view who) {
  const std::string line =
      absl::StrCat("*** ", who.substr(0, 200), " crashed ***\n");
  who_crashed_size = line.copy(who_crashed, sizeof(who_crashed));

  struct sigaction on_termination;
  PCHECK(sigaction(SIGTERM, nullptr, &on_termination) == 0);
  google::InstallFailureSignalHandler();
  google::InstallFailureWriter(&WritePiece);
  // After a failed CHECK glog would write a stack of its own, then abort past
  // the handler.
  google::InstallFailureFunction(&Abort);
  // glog takes SIGTERM for a crash.
  PCHECK(sigaction(SIGTERM, &on_termination, nullptr) == 0);
}

}  // namespace hybridserve
