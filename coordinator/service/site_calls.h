// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_SITE_CALLS_H_
#define HILUM_COORDINATOR_SERVICE_SITE_CALLS_H_

#include <cstddef>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"

namespace hilum {

// Limits the running calls of each site, so that one site cannot take all
// threads. Outlives its tickets. Thread-safe.
class SiteCalls {
 public:
  explicit SiteCalls(size_t per_site) : per_site_(per_site) {}

  // One call; ends with this object.
  class Ticket {
   public:
    Ticket(SiteCalls& calls, const SiteId& site)
        : calls_(&calls), site_(site) {}
    Ticket(Ticket&& other) noexcept
        : calls_(other.calls_), site_(std::move(other.site_)) {
      other.calls_ = nullptr;
    }
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (calls_ != nullptr) calls_->End(site_);
    }

   private:
    SiteCalls* calls_;  // null: moved from
    SiteId site_;
  };

  // UNAVAILABLE: the site has too many running calls; it tries again.
  absl::StatusOr<Ticket> Begin(const SiteId& site);

 private:
  void End(const SiteId& site);

  const size_t per_site_;
  absl::Mutex mutex_;
  std::map<SiteId, size_t> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_SITE_CALLS_H_
