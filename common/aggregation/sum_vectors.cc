// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/sum_vectors.h"

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/aggregation/blob_file.h"
#include "common/aggregation/sum_file.h"
#include "common/base/status_macros.h"

namespace hilum {

absl::StatusOr<std::vector<uint32_t>> SumVectors(
    const std::vector<std::string>& paths, int64_t size,
    const VectorMask& unmask) {
  std::vector<uint32_t> sums(static_cast<size_t>(size));
  std::vector<uint32_t> words(sums.size());
  for (const std::string& path : paths) {
    HILUM_ASSIGN_OR_RETURN(BlobFile file, BlobFile::Open(path, size));
    HILUM_RETURN_IF_ERROR(file.Read(0, absl::MakeSpan(words)));
    AddWords(words, absl::MakeSpan(sums));
  }
  if (unmask) unmask(0, absl::MakeSpan(sums));
  return sums;
}

absl::StatusOr<VectorSum> SumVectorsAndCarries(
    const std::vector<std::string>& paths, int64_t size,
    const VectorMask& unmask) {
  if (paths.size() > kMaxSites) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot sum ", paths.size(), " vectors: a study has ",
                     kMaxSites, " sites at most"));
  }
  VectorSum sum;
  sum.words.resize(static_cast<size_t>(size));
  std::vector<uint32_t> carries(sum.words.size());
  std::vector<uint32_t> words(sum.words.size());
  for (const std::string& path : paths) {
    HILUM_ASSIGN_OR_RETURN(BlobFile file, BlobFile::Open(path, size));
    HILUM_RETURN_IF_ERROR(file.Read(0, absl::MakeSpan(words)));
    AddWordsAndCarries(words, absl::MakeSpan(sum.words),
                       absl::MakeSpan(carries));
  }
  sum.file = SumFileContent(sum.words, carries, static_cast<int>(paths.size()));
  if (unmask) unmask(0, absl::MakeSpan(sum.words));
  return sum;
}

}  // namespace hilum
