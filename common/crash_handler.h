#ifndef HYBRIDSERVE_COMMON_CRASH_HANDLER_H_
#define HYBRIDSERVE_COMMON_CRASH_HANDLER_H_

#include "absl/strings/string_view.h"

namespace hybridserve {

// From now on a crash of any thread (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
// and so a failed CHECK) first says on stderr who crashed, by what signal, and
// where: the stack of that thread. The process then dies by the signal as it
// would have without. Nothing is allocated once a signal is there.
//
// `who`: program, version, build; at most 200 bytes are kept. Call after
// google::InitGoogleLogging() and before threads start.
void InstallCrashHandler(absl::string_view who);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_CRASH_HANDLER_H_
