// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/honest_sum.h"

#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/sha256.h"
#include "common/secagg/opening.h"
#include "site_agent/gateway/update_file.h"

namespace hilum {

const SiteCredentials& CredentialsOf(const SiteId& site) {
  static const SimulatedConsortium& consortium =
      *SimulatedConsortium::Create().value().release();
  static auto& members = *new std::map<SiteId, SimulatedConsortium::Member>;
  auto member = members.find(site);
  if (member == members.end()) {
    member = members.emplace(site, consortium.Join(site).value()).first;
  }
  return member->second.credentials;
}

HonestSum::HonestSum(SecAggContext context, std::string id)
    : context_(std::move(context)),
      id_(std::move(id)),
      server_(context_, *CredentialsOf(*context_.cohort.begin()).verifier) {}

v1::SecureStep HonestSum::StepFor(const SiteId& site) const {
  v1::SecureStep shown;
  shown.set_sum_id(id_);
  switch (server_.step()) {
    case Step::kAdvertiseKeys:
      shown.mutable_advertise_keys();
      break;
    case Step::kShareKeys:
      *shown.mutable_roster() = server_.roster();
      break;
    case Step::kMaskedInput:
      *shown.mutable_inbox() = server_.InboxFor(site);
      break;
    case Step::kConfirm:
      *shown.mutable_survivors() = server_.SurvivorsMessage();
      break;
    case Step::kUnmask:
      *shown.mutable_confirmations() = server_.confirmations();
      break;
    case Step::kDone:
      break;
  }
  return shown;
}

absl::Status HonestSum::On(const SiteId& site,
                           const v1::SubmitSecureStepRequest& said) {
  if (said.sum_id() != id_) {
    return absl::FailedPreconditionError("another sum");
  }
  switch (said.said_case()) {
    case v1::SubmitSecureStepRequest::kKeys:
      return server_.OnKeys(site, said.keys());
    case v1::SubmitSecureStepRequest::kShares:
      return server_.OnShares(site, said.shares());
    case v1::SubmitSecureStepRequest::kMasked:
      vectors_[site] = said.masked();
      return server_.OnMaskedInput(site, said.masked().sha256(),
                                   said.vector_signature());
    case v1::SubmitSecureStepRequest::kConfirmation:
      return server_.OnConfirmation(site, said.confirmation());
    case v1::SubmitSecureStepRequest::kRevealed:
      return server_.OnRevealed(site, said.revealed());
    default:
      return absl::AbortedError("it leaves");
  }
}

absl::StatusOr<v1::SumOpening> HonestSum::Open() const {
  HILUM_ASSIGN_OR_RETURN(v1::SumOpening opening, server_.Open());
  opening.set_round(context_.round);
  for (v1::SumOpening::Survivor& survivor : *opening.mutable_survivors()) {
    *survivor.mutable_vector() = vectors_.at(SiteId(survivor.site()));
  }
  return opening;
}

absl::StatusOr<std::vector<uint32_t>> HonestSum::Read(
    std::vector<uint32_t> masked) const {
  HILUM_ASSIGN_OR_RETURN(v1::SumOpening opening, Open());
  HILUM_ASSIGN_OR_RETURN(std::vector<MaskStream> masks,
                         LeftoverMasks(context_, opening));
  ApplyMaskStreams(absl::MakeSpan(masks), 0, absl::MakeSpan(masked));
  return masked;
}

SumSite::SumSite(SiteId site, std::string folder)
    : masked_path(folder + "/vector.masked"),
      site_(std::move(site)),
      folder_(std::move(folder)) {
  HILUM_CHECK(MakeDirectories(folder_).ok());
  Restart();
}

void SumSite::Restart() {
  part_ = std::make_unique<SecurePart>(
      SecurePart::Options{.site = site_,
                          .credentials = &CredentialsOf(site_),
                          .rng = &RealSecureRng(),
                          .studies_dir = folder_});
}

absl::StatusOr<v1::SubmitSecureStepRequest> SumSite::Answer(
    const v1::Task& task, const SecurePart::Asked& asked) {
  return part_->Answer(task, asked, folder_ + "/vector", masked_path);
}

absl::StatusOr<v1::SubmitSecureStepRequest> SumSite::Answer(
    const v1::Task& task, const SecAggContext& context) {
  return Answer(task,
                SecurePart::Asked{.context = context,
                                  .model_sha256 = Sha256Of(context.question)});
}

void SumSite::SetVector(const std::vector<uint32_t>& words) {
  HILUM_CHECK(WriteVector(folder_ + "/vector", words).ok());
}

std::vector<uint32_t> SumSite::Masked() const {
  return WordsOf(ReadFile(masked_path).value());
}

std::string SumSite::RevealedPath(const v1::Header& header) const {
  return absl::StrCat(folder_, "/", ToHex(header.study_hash()), ".revealed");
}

std::vector<uint32_t> WordsOf(absl::string_view bytes) {
  std::vector<uint32_t> words(bytes.size() / sizeof(uint32_t));
  std::memcpy(words.data(), bytes.data(), words.size() * sizeof(uint32_t));
  return words;
}

void AddTo(std::vector<uint32_t>& sum, const std::vector<uint32_t>& words) {
  HILUM_CHECK(sum.size() == words.size());
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += words[i];
}

}  // namespace hilum
