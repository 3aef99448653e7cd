// Tells ThreadSanitizer what absl's locks order.
//
// Debian's libabsl_synchronization is not instrumented, so TSan sees neither
// that a Mutex was taken nor that it was given back, and reports everything
// that one guards. Linked with --wrap, calls of our own code come here first;
// each says what the library then does: giving up a lock releases what the
// thread has written, taking it acquires what others released.
//
// Conditions are evaluated inside the library with the lock held, by the waiter
// or by whoever gives the lock up, so they are wrapped as well.

#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

using absl::Condition;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;

namespace {

struct GuardedCondition {
  Mutex* mutex;
  const Condition* condition;
};

bool Evaluate(GuardedCondition* guarded) {
  __tsan_acquire(guarded->mutex);
  const bool value = guarded->condition->Eval();
  __tsan_release(guarded->mutex);
  return value;
}

void* AddressOf(const Notification* notification) {
  return const_cast<Notification*>(notification);
}

}  // namespace

// Names that the linker makes of those that it wraps.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

// ---- Mutex: Lock, TryLock, Unlock, ReaderLock, ReaderUnlock.

void __real__ZN4absl7debian35Mutex4LockEv(Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex4LockEv(Mutex* mutex) {
  __real__ZN4absl7debian35Mutex4LockEv(mutex);
  __tsan_acquire(mutex);
}

bool __real__ZN4absl7debian35Mutex7TryLockEv(Mutex* mutex);
bool __wrap__ZN4absl7debian35Mutex7TryLockEv(Mutex* mutex) {
  const bool locked = __real__ZN4absl7debian35Mutex7TryLockEv(mutex);
  if (locked) __tsan_acquire(mutex);
  return locked;
}

void __real__ZN4absl7debian35Mutex6UnlockEv(Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex6UnlockEv(Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex6UnlockEv(mutex);
}

void __real__ZN4absl7debian35Mutex10ReaderLockEv(Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex10ReaderLockEv(Mutex* mutex) {
  __real__ZN4absl7debian35Mutex10ReaderLockEv(mutex);
  __tsan_acquire(mutex);
}

void __real__ZN4absl7debian35Mutex12ReaderUnlockEv(Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex12ReaderUnlockEv(Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex12ReaderUnlockEv(mutex);
}

// ---- Mutex: Await, AwaitWithTimeout, AwaitWithDeadline, LockWhen.

void __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(
    Mutex* mutex, const Condition& condition);
void __wrap__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(
    Mutex* mutex, const Condition& condition) {
  GuardedCondition guarded{mutex, &condition};
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(
      mutex, Condition(&Evaluate, &guarded));
  __tsan_acquire(mutex);
}

bool __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(  // NOLINT
    Mutex* mutex, const Condition& condition, Duration timeout);
bool __wrap__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(  // NOLINT
    Mutex* mutex, const Condition& condition, Duration timeout) {
  GuardedCondition guarded{mutex, &condition};
  __tsan_release(mutex);
  const bool value =
      __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(  // NOLINT
          mutex, Condition(&Evaluate, &guarded), timeout);
  __tsan_acquire(mutex);
  return value;
}

bool __real__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(  // NOLINT
    Mutex* mutex, const Condition& condition, Time deadline);
bool __wrap__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(  // NOLINT
    Mutex* mutex, const Condition& condition, Time deadline) {
  GuardedCondition guarded{mutex, &condition};
  __tsan_release(mutex);
  const bool value =
      __real__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(  // NOLINT
          mutex, Condition(&Evaluate, &guarded), deadline);
  __tsan_acquire(mutex);
  return value;
}

void __real__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(
    Mutex* mutex, const Condition& condition);
void __wrap__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(
    Mutex* mutex, const Condition& condition) {
  GuardedCondition guarded{mutex, &condition};
  __real__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(
      mutex, Condition(&Evaluate, &guarded));
  __tsan_acquire(mutex);
}

// ---- Notification.

void __real__ZN4absl7debian312Notification6NotifyEv(Notification* self);
void __wrap__ZN4absl7debian312Notification6NotifyEv(Notification* self) {
  __tsan_release(AddressOf(self));
  // HasBeenNotified() is inline: it acquires the flag behind the Mutex that a
  // Notification begins with.
  __tsan_release(static_cast<char*>(AddressOf(self)) + sizeof(Mutex));
  __real__ZN4absl7debian312Notification6NotifyEv(self);
}

void __real__ZNK4absl7debian312Notification19WaitForNotificationEv(
    const Notification* self);
void __wrap__ZNK4absl7debian312Notification19WaitForNotificationEv(
    const Notification* self) {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(self);
  __tsan_acquire(AddressOf(self));
}

bool __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(  // NOLINT
    const Notification* self, Duration timeout);
bool __wrap__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(  // NOLINT
    const Notification* self, Duration timeout) {
  const bool notified =
      __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(  // NOLINT
          self, timeout);
  if (notified) __tsan_acquire(AddressOf(self));
  return notified;
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
