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

// The state that an honest coordinator keeps of a study's sums and shows its
// sites, like coordinator/federation_sums.cc. A copy goes on independently.
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

  // Returns the question of a task that goes on from chain().
  SecAggContext ContextOf(const v1::Task& task) const;
  const std::string& ModelOf(v1::Task::Kind kind) const;
  // Writes the model and the openings, if there are any, into the task.
  void Fill(v1::Task& task) const;
  v1::BlobRef Put(const v1::SumOpening& opening) {
    return PutBlob(*blobs_, opening.SerializeAsString());
  }

  // Reads a completed sum whose survivors' vectors are `masked`, publishes it
  // and goes on from it, unless it is a sum of evaluations. Returns the words.
  std::vector<uint32_t> Publish(v1::Task::Kind kind, const HonestSum& sum,
                                const Vectors& masked);

  // Returns the checksum of the site's vector in the last sum; empty: it gave
  // none.
  std::string ChecksumOf(const SiteId& site) const;

  // Changes the sum file before the next state is worked out from it.
  std::function<void(std::string&)> forge = [](std::string&) {};

 private:
  // Computes the model that a sum of updates gives, and the state of the
  // server's optimiser; returns their digests.
  struct Trained {
    std::string model_sha256, optimizer_sha256;
  };
  Trained Train(const std::vector<uint32_t>& words, uint32_t round);

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
