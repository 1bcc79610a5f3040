// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_REVEALED_LISTS_H_
#define HILUM_SITE_AGENT_GATEWAY_REVEALED_LISTS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"

namespace hilum {

// The survivors of all sums, of any study, for which this site has revealed
// shares, by the model that the sum was about. All sums about one model must
// have one list of survivors: two sums whose survivors differ in one or two
// sites reveal the vectors of these sites, even if the sums are of two studies.
//
// A file of lines "HEX HEX SITE,SITE,...": the SHA-256 of the sum's subject,
// the study's hash, and the survivors. A share leaves only after the lines of
// its sum are on disk. Keeps nothing in memory. Not thread-safe; one process a
// file.
class RevealedLists {
 public:
  explicit RevealedLists(std::string path) : path_(std::move(path)) {}

  // Checks the survivors of a sum of the study `study_hash` (raw, 32 bytes)
  // about each of `subjects` (raw, 32 bytes each) against the earlier sums
  // about the same subject. FAILED_PRECONDITION names the sites by which they
  // differ: any in the same study; one or two in another, unless `may_differ`.
  // DATA_LOSS: the file cannot be read.
  absl::Status Check(const std::vector<std::string>& subjects,
                     const std::string& study_hash,
                     const std::set<SiteId>& survivors,
                     bool may_differ = false) const;

  // Notes a sum, on disk when it returns. RESOURCE_EXHAUSTED: disk full.
  absl::Status Note(const std::vector<std::string>& subjects,
                    const std::string& study_hash,
                    const std::set<SiteId>& survivors) const;

 private:
  const std::string path_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_REVEALED_LISTS_H_
