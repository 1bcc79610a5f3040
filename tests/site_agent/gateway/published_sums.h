// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_GATEWAY_PUBLISHED_SUMS_H_
#define HILUM_TESTS_SITE_AGENT_GATEWAY_PUBLISHED_SUMS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/study.pb.h"
#include "tests/site_agent/gateway/honest_sum.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {

// What an honest coordinator keeps of a study's sums and shows its sites of
// them, as coordinator/federation_sums.cc does. A copy goes on by itself from
// where it was made.
class PublishedSums {
 public:
  using Vectors = std::map<SiteId, std::vector<uint32_t>>;

  // Writes below `folder`. `blobs` outlives this object.
  PublishedSums(const v1::Study& study, std::string hash, std::string folder,
                Blobs& blobs);

  const v1::StudyChain& chain() const { return chain_; }
  const v1::CensusTotals& cohort() const { return cohort_; }
  bool HasCensus() const { return !chain_.census_sha256().empty(); }
  const v1::SumOpening& last() const { return last_; }

  // What a site is asked by a task that goes on from chain().
  SecAggContext ContextOf(const v1::Task& task) const;
  const std::string& ModelOf(v1::Task::Kind kind) const;
  // Names the model and the openings, where there are any.
  void Fill(v1::Task& task) const;
  v1::BlobRef Put(const v1::SumOpening& opening) {
    return PutBlob(*blobs_, opening.SerializeAsString());
  }

  // Reads a sum that is done, of which the survivors' vectors are `masked`;
  // publishes it and goes on from it, unless it is one of evaluations. Returns
  // the words.
  std::vector<uint32_t> Publish(v1::Task::Kind kind, const HonestSum& sum,
                                const Vectors& masked);

  // Of what the site gave to the last sum; empty: nothing.
  std::string ChecksumOf(const SiteId& site) const;

  // Changes the sum file before all that follows from it is worked out.
  std::function<void(std::string&)> forge = [](std::string&) {};

 private:
  // Returns the digest of the model that a sum of updates gives.
  std::string Train(const std::vector<uint32_t>& words);

  v1::Study study_;
  std::string hash_;
  std::string folder_;
  Blobs* blobs_;
  v1::StudyChain chain_;
  v1::CensusTotals cohort_;
  v1::BlobRef census_opening_, last_opening_;
  v1::SumOpening last_;
  Vectors vectors_;  // of the last sum
};

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_GATEWAY_PUBLISHED_SUMS_H_
