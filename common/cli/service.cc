// SPDX-License-Identifier: Apache-2.0
#include "common/cli/service.h"

#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/clock.h"
#include "common/base/printable.h"

namespace hilum {
namespace {

constexpr size_t kMaxLogLine = 2000;

}  // namespace

std::string LogLine(absl::Time now, absl::string_view line) {
  const char* level = "info   ";
  if (absl::ConsumePrefix(&line, "warning: ")) {
    level = "warning";
  } else if (absl::ConsumePrefix(&line, "error: ")) {
    level = "error  ";
  }
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone()), " ",
      level, " ", PrintableLine(line, kMaxLogLine));
}

void Log(absl::string_view line) {
  // One call of the library writes one line, also with several threads.
  absl::FPrintF(stderr, "%s\n", LogLine(RealClock().Now(), line));
}

namespace {

// A thread that a library has started before main does not block the signals.
// It hands them on to the thread that waits for them, and blocks them from now
// on. Calls only what is safe in a handler.
void HandOn(int signal, siginfo_t*, void* context) {
  sigaddset(&static_cast<ucontext_t*>(context)->uc_sigmask, signal);
  kill(getpid(), signal);
}

}  // namespace

StopSignals::StopSignals() {
  struct sigaction hand_on = {};
  hand_on.sa_sigaction = HandOn;
  hand_on.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&hand_on.sa_mask);
  sigaction(SIGINT, &hand_on, &before_int_);
  sigaction(SIGTERM, &hand_on, &before_term_);
  sigemptyset(&signals_);
  // SIGUSR1 ends the thread of Start.
  for (int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  std::signal(SIGPIPE, SIG_IGN);
}

StopSignals::~StopSignals() {
  if (thread_.joinable()) {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  sigaction(SIGINT, &before_int_, nullptr);
  sigaction(SIGTERM, &before_term_, nullptr);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopSignals::Wait() {
  int signal = 0;
  do {
    sigwait(&signals_, &signal);
  } while (signal == SIGUSR1);
}

void StopSignals::Start(std::function<void()> on_stop) {
  thread_ = std::thread([this, on_stop = std::move(on_stop)] {
    int signal = 0;
    sigwait(&signals_, &signal);
    if (signal != SIGUSR1) on_stop();
  });
}

}  // namespace hilum
