// SPDX-License-Identifier: Apache-2.0
// Tells ThreadSanitizer which accesses Abseil's locks order. The distribution
// compiles Abseil without the sanitizer, so the sanitizer does not see its
// locks. The preset `tsan` links this file into every test. The linker finds
// these definitions before those of libabsl_synchronization.so; each one calls
// the one it hides. gRPC's calls of absl::Mutex come here too.
// __tsan_release before __tsan_acquire of one address orders two threads.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>

#include "absl/base/options.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

// Part of the run time library, declared in none of its headers.
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

#define HILUM_STRING_OF(x) #x
#define HILUM_STRING(x) HILUM_STRING_OF(x)

namespace {

// Returns Abseil's own function; `name` is mangled, without absl's namespaces.
// `qualifier` is "K" where the function is const.
void* Real(const char* name, const char* qualifier = "") {
  constexpr char kNamespace[] = HILUM_STRING(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  char mangled[256];
  std::snprintf(mangled, sizeof mangled, "_ZN%s4absl%zu%s%s", qualifier,
                sizeof kNamespace - 1, kNamespace, name);
  void* found = dlsym(RTLD_NEXT, mangled);
  if (found == nullptr) {
    std::fprintf(stderr, "tsan_mutex: no function %s: is Abseil static?\n",
                 mangled);
    std::abort();
  }
  return found;
}

// Announces that this thread unlocks. Abseil's Unlock calls the conditions of
// waiting threads after that, while it still holds the lock; they only read, so
// their reads are ignored.
class Letting {
 public:
  explicit Letting(void* lock) {
    __tsan_release(lock);
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  }
  ~Letting() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

// Announces that this thread unlocks now and locks again at the end.
class Waiting {
 public:
  explicit Waiting(void* lock) : lock_(lock), letting_(lock) {}
  ~Waiting() { __tsan_acquire(lock_); }

 private:
  void* lock_;
  Letting letting_;
};

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static auto* const real =
      reinterpret_cast<void (*)(Mutex*)>(Real("5Mutex4LockEv"));
  real(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  static auto* const real =
      reinterpret_cast<bool (*)(Mutex*)>(Real("5Mutex7TryLockEv"));
  const bool locked = real(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() {
  static auto* const real =
      reinterpret_cast<void (*)(Mutex*)>(Real("5Mutex6UnlockEv"));
  Letting letting(this);
  real(this);
}

void Mutex::ReaderLock() {
  static auto* const real =
      reinterpret_cast<void (*)(Mutex*)>(Real("5Mutex10ReaderLockEv"));
  real(this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  static auto* const real =
      reinterpret_cast<void (*)(Mutex*)>(Real("5Mutex12ReaderUnlockEv"));
  Letting letting(this);
  real(this);
}

void Mutex::LockWhen(const Condition& condition) {
  static auto* const real =
      reinterpret_cast<void (*)(Mutex*, const Condition&)>(
          Real("5Mutex8LockWhenERKNS0_9ConditionE"));
  Waiting waiting(this);
  real(this, condition);
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  static auto* const real =
      reinterpret_cast<bool (*)(Mutex*, const Condition&, Time)>(
          Real("5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE"));
  Waiting waiting(this);
  return real(this, condition, deadline);
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  static auto* const real =
      reinterpret_cast<bool (*)(Mutex*, const Condition&, Duration)>(
          Real("5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE"));
  Waiting waiting(this);
  return real(this, condition, timeout);
}

void Mutex::Await(const Condition& condition) {
  static auto* const real =
      reinterpret_cast<void (*)(Mutex*, const Condition&)>(
          Real("5Mutex5AwaitERKNS0_9ConditionE"));
  Waiting waiting(this);
  real(this, condition);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static auto* const real =
      reinterpret_cast<bool (*)(Mutex*, const Condition&, Duration)>(
          Real("5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE"));
  Waiting waiting(this);
  return real(this, condition, timeout);
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static auto* const real =
      reinterpret_cast<bool (*)(Mutex*, const Condition&, Time)>(
          Real("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE"));
  Waiting waiting(this);
  return real(this, condition, deadline);
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const real = reinterpret_cast<void (*)(CondVar*, Mutex*)>(
      Real("7CondVar4WaitEPNS0_5MutexE"));
  Waiting waiting(mutex);
  real(this, mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static auto* const real =
      reinterpret_cast<bool (*)(CondVar*, Mutex*, Duration)>(
          Real("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE"));
  Waiting waiting(mutex);
  return real(this, mutex, timeout);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const real = reinterpret_cast<bool (*)(CondVar*, Mutex*, Time)>(
      Real("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE"));
  Waiting waiting(mutex);
  return real(this, mutex, deadline);
}

void Notification::Notify() {
  static auto* const real = reinterpret_cast<void (*)(Notification*)>(
      Real("12Notification6NotifyEv"));
  __tsan_release(this);
  real(this);
}

void Notification::WaitForNotification() const {
  static auto* const real = reinterpret_cast<void (*)(const Notification*)>(
      Real("12Notification19WaitForNotificationEv", "K"));
  real(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static auto* const real =
      reinterpret_cast<bool (*)(const Notification*, Duration)>(
          Real("12Notification30WaitForNotificationWithTimeoutENS0_8DurationE",
               "K"));
  const bool notified = real(this, timeout);
  __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

ABSL_NAMESPACE_END
}  // namespace absl
