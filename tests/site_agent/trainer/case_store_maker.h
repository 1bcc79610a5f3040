// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_TRAINER_CASE_STORE_MAKER_H_
#define HILUM_TESTS_SITE_AGENT_TRAINER_CASE_STORE_MAKER_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// Makes a case store with these ids in ascending order; second: with a lung
// mask. Each image is a gradient of 100 x 80 pixels, each mask its middle.
inline void MakeCaseStore(
    const std::string& folder,
    const std::vector<std::pair<std::string, bool>>& cases) {
  constexpr int kRows = 100, kColumns = 80;
  GrayImage film{kRows, kColumns, {}}, lungs{kRows, kColumns, {}};
  for (int i = 0; i < kRows * kColumns; ++i) {
    film.pixels.push_back(static_cast<float>(i % 997) / 997);
    const int column = i % kColumns;
    lungs.pixels.push_back(column >= 20 && column < 60 ? 1.0f : 0.0f);
  }
  const SizedPlane whole = *PrepareWholeWithin(film, 1024);
  const SizedPlane cut = *PrepareSegmentedWithin(film, lungs, 1024);
  const std::string bits = LungBits(lungs, kRows, kColumns);
  std::string shard;
  for (const auto& [id, masked] : cases) {
    CaseRecord record{.case_id = id,
                      .whole = {whole.rows, whole.columns, whole.pixels},
                      .source_rows = kRows,
                      .source_columns = kColumns};
    if (masked) {
      record.segmented = {cut.rows, cut.columns, cut.pixels};
      record.lungs = bits;
    }
    shard += EncodeCaseRecord(record);
  }
  ASSERT_TRUE(MakeDirectories(absl::StrCat(folder, "/shards")).ok());
  ASSERT_TRUE(WriteFileAtomically(absl::StrCat(folder, "/shards/0001.shard"),
                                  shard, Durability::kNone)
                  .ok());
}

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_TRAINER_CASE_STORE_MAKER_H_
