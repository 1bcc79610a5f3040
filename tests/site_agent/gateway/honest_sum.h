// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_GATEWAY_HONEST_SUM_H_
#define HILUM_TESTS_SITE_AGENT_GATEWAY_HONEST_SUM_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/secagg/server.h"
#include "sim/simulated_consortium.h"
#include "site_agent/gateway/secure_part.h"

namespace hilum {

// Returns the site's credentials, made at the first call. All tests of the
// process share one consortium.
const SiteCredentials& CredentialsOf(const SiteId& site);

// One masked sum, run like an honest coordinator runs it. Life: for each step
// in turn StepFor and On of each site, then Close.
class HonestSum {
 public:
  using Step = SecAggServer::Step;

  HonestSum(SecAggContext context, std::string id);

  const SecAggContext& context() const { return context_; }
  v1::SecureStep StepFor(const SiteId& site) const;
  absl::Status On(const SiteId& site, const v1::SubmitSecureStepRequest& said);
  absl::Status Close() { return server_.Close(); }

  const SecAggServer& server() const { return server_; }
  // Returns the opening, without the fields about the sum itself and the
  // study's state.
  absl::StatusOr<v1::SumOpening> Open() const;
  // Returns the sum of the survivors' vectors from the sum of the masked
  // vectors.
  absl::StatusOr<std::vector<uint32_t>> Read(
      std::vector<uint32_t> masked) const;

 private:
  const SecAggContext context_;
  const std::string id_;
  SecAggServer server_;
  std::map<SiteId, v1::BlobRef> vectors_;
};

// A site with a vector and a folder of its own: the site under test, or one of
// its peers.
class SumSite {
 public:
  SumSite(SiteId site, std::string folder);

  // Restarts the site like a new process on the same folder.
  void Restart();
  absl::StatusOr<v1::SubmitSecureStepRequest> Answer(
      const v1::Task& task, const SecurePart::Asked& asked);
  // The same, about a model that differs in each context.
  absl::StatusOr<v1::SubmitSecureStepRequest> Answer(
      const v1::Task& task, const SecAggContext& context);

  void SetVector(const std::vector<uint32_t>& words);
  std::vector<uint32_t> Masked() const;  // from the last answer
  SecurePart& part() { return *part_; }
  const std::string& folder() const { return folder_; }
  std::string RevealedPath(const v1::Header& header) const;

  std::string masked_path;  // below the folder by default

 private:
  const SiteId site_;
  const std::string folder_;
  std::unique_ptr<SecurePart> part_;
};

// Convert bytes to words, and add words to a sum.
std::vector<uint32_t> WordsOf(absl::string_view bytes);
void AddTo(std::vector<uint32_t>& sum, const std::vector<uint32_t>& words);

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_GATEWAY_HONEST_SUM_H_
