// SPDX-License-Identifier: Apache-2.0
// Fuzzes a site's CSV. Records that are written again read the same; each row
// of a manifest is used, rejected or another site's.
#include "absl/strings/str_join.h"
#include "common/base/csv.h"
#include "site_agent/trainer/data/case_manifest.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

void ParseTwice(const std::string& text) {
  auto records = ParseCsv(text);
  if (!records.ok()) return;
  // A byte order mark of its own keeps a second one inside the first field; the
  // line `sep=,` keeps commas even if the first record has semicolons.
  std::string again = "\xef\xbb\xbfsep=,\r\n";
  for (const std::vector<std::string>& record : *records) {
    absl::StrAppend(&again,
                    absl::StrJoin(record, ",",
                                  [](std::string* out, const std::string& s) {
                                    *out += CsvField(s);
                                  }),
                    "\r\n");
  }
  HILUM_CHECK(ParseCsv(again).value() == *records);
}

void ReadManifest(const std::string& text, const ManifestOptions& options) {
  const std::vector<std::string> classes = {"normal", "covid"};
  auto manifest = ReadCaseManifest(MemoryFile(text).path(), classes, options);
  if (!manifest.ok()) return;
  HILUM_CHECK(manifest->cases.size() + manifest->rejected.size() ==
              static_cast<size_t>(manifest->rows));
  for (const CaseRow& row : manifest->cases) {
    HILUM_CHECK(row.row > 1 && !row.file.empty() && !row.patient_id.empty());
    HILUM_CHECK(row.label == 0 || row.label == 1);
  }
  std::vector<std::string> digests;
  for (const CaseRow& row : manifest->cases) digests.push_back(row.file);
  RejectCases(*manifest, FindDuplicates(*manifest, digests));
  (void)CheckBadShare(*manifest, 0.5);
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = hilum::FuzzInput(data, size).Rest();
  hilum::ParseTwice(text);
  hilum::ReadManifest(text, {});
  hilum::ReadManifest(text, {.site_column = "site", .site = "a"});
  return 0;
}
