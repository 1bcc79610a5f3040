// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/grpc_log.h"

#include <grpc/support/log.h>

#include <cstdio>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"

namespace hilum {
namespace {

constexpr absl::Duration kSpan = absl::Seconds(10);
constexpr int kLinesInSpan = 10;

class LineBudget {
 public:
  // Returns whether a line may be written now, and how many were omitted before
  // it.
  bool Take(int* left_out) {
    const absl::Time now = RealClock().Now();
    absl::MutexLock lock(&mutex_);
    if (now >= end_) {
      end_ = now + kSpan;
      lines_ = 0;
    }
    if (++lines_ > kLinesInSpan) {
      ++left_out_;
      return false;
    }
    *left_out = left_out_;
    left_out_ = 0;
    return true;
  }

 private:
  absl::Mutex mutex_;
  absl::Time end_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int lines_ ABSL_GUARDED_BY(mutex_) = 0;
  int left_out_ ABSL_GUARDED_BY(mutex_) = 0;
};

void Write(gpr_log_func_args* line) {
  static LineBudget& budget = *new LineBudget();
  int left_out = 0;
  if (!budget.Take(&left_out)) return;
  const std::string more =
      left_out == 0 ? "" : absl::StrCat(" (", left_out, " lines left out)");
  absl::FPrintF(stderr, "%s gRPC: %s%s\n",
                absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", RealClock().Now(),
                                 absl::UTCTimeZone()),
                line->message, more);
}

}  // namespace

void LimitGrpcLog() { gpr_set_log_function(&Write); }

}  // namespace hilum
