// SPDX-License-Identifier: Apache-2.0
// Which of a site's cases weights learned from.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_SEEN_CASES_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_SEEN_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {

// Cases of one site that lists of images name.
struct SeenCases {
  // [cases]: the case's patient has a case whose image is listed. All false
  // where fewer than kSeenPatients (common/config/census.h) patients have one.
  std::vector<bool> marks;
  // For the site's own log: cases and patients found, however few.
  uint64_t cases = 0;
  uint64_t patients = 0;

  // Returns the number of marks that are set.
  uint64_t Marked() const;
};

// Compares a site's cases with lists of images (TrainedOn.digests), of which a
// study's starting weights have several. If one image of a patient is listed,
// all of the patient's cases are seen. `digests` [cases]: the first
// kDigestPrefix bytes of each image's PixelDigest; empty: not known, and not
// found.
SeenCases FindSeen(absl::Span<const CaseRow> cases,
                   absl::Span<const std::string> digests,
                   absl::Span<const absl::string_view> lists);

// Returns the lists of images of a study's starting weights.
std::vector<absl::string_view> SeenLists(const v1::Study& study);

// How many cases the product's own networks learned from, that draw lung masks
// and that judge an image's orientation, and how many cases could not be
// compared with any list.
struct SeenByTools {
  uint64_t lungs_network = 0;
  uint64_t orientation_network = 0;
  uint64_t not_compared = 0;
};
// `lists`: those of the study (SeenLists). A count is 0 where the patients in
// them and in the network's list differ by fewer than kSeenPatients: with both
// counts in the census, the difference would be the cases of these few.
SeenByTools FindSeenByTools(absl::Span<const CaseRow> cases,
                            absl::Span<const std::string> digests,
                            absl::Span<const absl::string_view> lists);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_SEEN_CASES_H_
