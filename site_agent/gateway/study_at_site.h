// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_STUDY_AT_SITE_H_
#define HILUM_SITE_AGENT_GATEWAY_STUDY_AT_SITE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/aggregation/ring.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/gateway/secure_part.h"
#include "site_agent/gateway/site_parts.h"
#include "site_agent/gateway/spooled_vector.h"
#include "site_agent/gateway/study_follower.h"

namespace hilum {

// A study as the officer approved it.
struct ApprovedStudy {
  std::string hash;  // 32 raw bytes
  v1::Study study;
  std::vector<Track> tracks;
  VectorLayout layout;
  ParameterLayout parameters;
};

// One study at a site, and the state that the site keeps for it. Life: from the
// first task on, until the study ends. Not thread-safe.
class StudyAtSite {
 public:
  StudyAtSite(ApprovedStudy approved, const SiteParts& parts);

  const std::string& hash() const { return approved_.hash; }
  const v1::Study& study() const { return approved_.study; }
  const std::vector<Track>& tracks() const { return approved_.tracks; }
  const VectorLayout& layout() const { return approved_.layout; }
  bool is_secure() const { return is_secure_; }

  SpooledVector& spool() { return spool_; }
  SecurePart& secure() { return secure_; }
  StudyFollower& follower() { return follower_; }
  const StudyFollower& follower() const { return follower_; }

  // Returns the census that this site has given for the study, if any.
  // DATA_LOSS: the file was changed since.
  absl::StatusOr<std::optional<v1::SubmitCensusRequest>> GivenCensus() const;
  // Keeps the first census of the study, which counts for the whole study.
  absl::Status KeepCensus(const v1::SubmitCensusRequest& census) const;
  // Returns the study's folder (results_folder.h); makes it first.
  absl::StatusOr<std::string> MakeResultsFolder() const;

 private:
  std::string CensusPath() const;

  const ApprovedStudy approved_;
  const std::string state_dir_;
  const bool is_secure_;
  SpooledVector spool_;
  SecurePart secure_;
  StudyFollower follower_;
};

// The studies on which a site works. The coordinator may turn from one to
// another at any time. Not thread-safe.
class SiteStudies {
 public:
  // `parts` outlives this object.
  explicit SiteStudies(const SiteParts& parts) : parts_(parts) {}

  // Returns an offered study, with the state that this site has for it. Checks
  // policy and consent whenever the site turns to the study.
  // FAILED_PRECONDITION, PERMISSION_DENIED: they forbid it.
  absl::StatusOr<StudyAtSite*> Open(const std::string& hash);
  // Removes the state of a study that has ended.
  void End(const std::string& hash);
  // Removes the blobs that no approved study needs any more, except `more`. No
  // other site has what this one has worked out.
  void KeepBlobs(const v1::BlobRef& more = {});

 private:
  // Whether policy and officer let this site take part.
  absl::Status CheckAllowed(const std::string& hash,
                            const v1::Study& study) const;

  const SiteParts& parts_;
  std::map<std::string, std::unique_ptr<StudyAtSite>> studies_;  // by hash
  std::string current_;  // the hash of the study that was opened last
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_STUDY_AT_SITE_H_
