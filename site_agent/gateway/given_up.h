// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_GIVEN_UP_H_
#define HILUM_SITE_AGENT_GATEWAY_GIVEN_UP_H_

#include <map>
#include <string>
#include <vector>

namespace hilum {

// The studies on which a site works no more, until its fault may have been
// mended: the case manifest or the officer's approval has changed since. Not
// thread-safe.
class GivenUpStudies {
 public:
  GivenUpStudies(std::string manifest, std::string approvals_dir)
      : manifest_(std::move(manifest)),
        approvals_dir_(std::move(approvals_dir)) {}

  // `hash`: raw.
  void Add(const std::string& hash) { stamps_[hash] = StampOf(hash); }
  // Removes and returns the studies whose fault may have been mended.
  std::vector<std::string> TakeMended();

 private:
  // Returns a stamp that changes when the manifest or the approval does.
  std::string StampOf(const std::string& hash) const;

  const std::string manifest_;
  const std::string approvals_dir_;
  std::map<std::string, std::string> stamps_;  // by hash
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_GIVEN_UP_H_
