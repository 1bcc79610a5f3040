// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/storage_contexts.h"

#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmnet/assoc.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr const char* kStorage[] = {
    UID_ComputedRadiographyImageStorage,
    UID_DigitalXRayImageStorageForPresentation,
    UID_DigitalXRayImageStorageForProcessing,
    UID_SecondaryCaptureImageStorage,
};

// UIDs by number: DCMTK 3.6.7 has no names for HTJ2K.
constexpr const char* kSyntaxes[] = {
    "1.2.840.10008.1.2.1",      // explicit little-endian
    "1.2.840.10008.1.2",        // implicit
    "1.2.840.10008.1.2.2",      // explicit big-endian
    "1.2.840.10008.1.2.4.70",   // JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.57",   // JPEG lossless
    "1.2.840.10008.1.2.4.80",   // JPEG-LS lossless
    "1.2.840.10008.1.2.4.90",   // JPEG 2000 lossless
    "1.2.840.10008.1.2.4.201",  // HTJ2K lossless
    "1.2.840.10008.1.2.4.202",  // HTJ2K lossless, RPCL
    "1.2.840.10008.1.2.5",      // RLE
    "1.2.840.10008.1.2.1.99",   // deflated
    "1.2.840.10008.1.2.4.50",   // JPEG baseline
    "1.2.840.10008.1.2.4.51",   // JPEG extended
    "1.2.840.10008.1.2.4.81",   // JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.91",   // JPEG 2000
    "1.2.840.10008.1.2.4.203",  // HTJ2K
};
constexpr int kUncompressed = 3;  // the first of them

absl::Status StatusOf(const OFCondition& condition, const char* what) {
  if (condition.good()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(what, ": ", condition.text()));
}

// Adds contexts, numbered 1, 3, 5 and so on (PS3.8 section 9.3.2.2).
class Proposal {
 public:
  explicit Proposal(T_ASC_Parameters* parameters) : parameters_(parameters) {}

  absl::Status Add(const char* abstract_syntax,
                   absl::Span<const char* const> syntaxes, bool provider) {
    std::vector<const char*> list(syntaxes.begin(), syntaxes.end());
    const int id = next_;
    next_ += 2;
    return StatusOf(
        ASC_addPresentationContext(
            parameters_, static_cast<T_ASC_PresentationContextID>(id),
            abstract_syntax, list.data(), static_cast<int>(list.size()),
            provider ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT),
        "cannot propose");
  }

 private:
  T_ASC_Parameters* parameters_;
  int next_ = 1;
};

}  // namespace

absl::Span<const char* const> StorageClasses() { return kStorage; }
absl::Span<const char* const> TransferSyntaxes() { return kSyntaxes; }

absl::Status AcceptContexts(T_ASC_Parameters* parameters) {
  const char* verification[] = {UID_VerificationSOPClass};
  std::vector<const char*> storage(std::begin(kStorage), std::end(kStorage));
  std::vector<const char*> syntaxes(std::begin(kSyntaxes), std::end(kSyntaxes));
  HILUM_RETURN_IF_ERROR(
      StatusOf(ASC_acceptContextsWithPreferredTransferSyntaxes(
                   parameters, verification, 1, syntaxes.data(), kUncompressed),
               "cannot accept verification"));
  return StatusOf(
      ASC_acceptContextsWithPreferredTransferSyntaxes(
          parameters, storage.data(), static_cast<int>(storage.size()),
          syntaxes.data(), static_cast<int>(syntaxes.size())),
      "cannot accept storage");
}

absl::Status ProposeContexts(T_ASC_Parameters* parameters,
                             absl::Span<const char* const> query_classes,
                             bool storage) {
  const auto syntaxes = TransferSyntaxes();
  const auto plain = syntaxes.first(kUncompressed);
  Proposal proposal(parameters);
  for (const char* query : query_classes) {
    HILUM_RETURN_IF_ERROR(proposal.Add(query, plain, false));
  }
  if (!storage) return absl::OkStatus();
  for (const char* sop_class : kStorage) {
    HILUM_RETURN_IF_ERROR(proposal.Add(sop_class, plain, true));
    for (size_t i = kUncompressed; i < syntaxes.size(); ++i) {
      HILUM_RETURN_IF_ERROR(
          proposal.Add(sop_class, syntaxes.subspan(i, 1), true));
    }
  }
  return absl::OkStatus();
}

}  // namespace hilum
