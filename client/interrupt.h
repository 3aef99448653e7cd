#ifndef HYBRIDSERVE_CLIENT_INTERRUPT_H_
#define HYBRIDSERVE_CLIENT_INTERRUPT_H_

#include <functional>
#include <memory>

namespace hybridserve {

// What Ctrl-C (and SIGTERM) does. Make it before other threads start: it
// blocks the two signals for them and takes them on a thread of its own. While
// a Scope lives, the first signal calls its function; without one, and on any
// further signal, the process ends at once with exit code 1. At most one at a
// time. Thread-safe.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();

  // Calls `on_signal` on the first signal, from the Interrupt's thread. After
  // the destructor it is not called and no call is under way.
  class Scope {
   public:
    Scope(Interrupt& interrupt, std::function<void()> on_signal);
    ~Scope();

   private:
    Interrupt& interrupt_;
  };

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_INTERRUPT_H_
