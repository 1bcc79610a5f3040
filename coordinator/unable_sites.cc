// SPDX-License-Identifier: Apache-2.0
#include "coordinator/unable_sites.h"

#include "absl/strings/str_cat.h"

namespace hilum {

std::string WordsOf(v1::UnableReason reason) {
  switch (reason) {
    case v1::UNABLE_REASON_MANIFEST:
      return "its case manifest cannot be used (file, columns, labels, or too "
             "many unusable rows); it tries again once that is mended";
    case v1::UNABLE_REASON_CASES:
      return "it has too few cases or patients for its own rules";
    case v1::UNABLE_REASON_POLICY:
      return "its policy, or a yes of its officer that is missing, forbids it";
    case v1::UNABLE_REASON_MACHINE:
      return "its trainer or its machine fails";
    default:
      return "its own log says why";
  }
}

std::string UnableText(const v1::StudyStatus& status) {
  std::string text;
  for (const v1::UnableSite& site : status.unable()) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", site.site(), ": ",
                    site.reason());
  }
  return text;
}

}  // namespace hilum
