// SPDX-License-Identifier: Apache-2.0
// A hospital without lung masks goes from radiographs to a study on its case
// store, with the programs that it would run.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/csv.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

class CaseStoreTest : public EndToEndTest {
 protected:
  // Writes a labels file for the phantoms.
  void WriteLabels() const {
    auto rows = ParseCsv(Text("data/manifest.csv"));
    ASSERT_TRUE(rows.ok());
    std::string labels = "file,label,patient_id\n";
    size_t file = 0, label = 0, patient = 0;
    const std::vector<std::string>& header = rows->front();
    for (size_t i = 0; i < header.size(); ++i) {
      if (header[i] == "file") file = i;
      if (header[i] == "label") label = i;
      if (header[i] == "patient_id") patient = i;
    }
    for (size_t i = 1; i < rows->size(); ++i) {
      const std::vector<std::string>& row = (*rows)[i];
      absl::StrAppend(&labels, Path(absl::StrCat("data/", row[file])), ",",
                      row[label], ",", row[patient], "\n");
    }
    Write("labels.csv", labels);
  }

  void MustRun(const std::vector<std::string>& arguments,
               absl::string_view wanted) const {
    const Outcome run = Run(arguments);
    ASSERT_EQ(run.exit_status, 0) << run.output;
    EXPECT_TRUE(absl::StrContains(run.output, wanted)) << run.output;
  }

  nlohmann::json Study(const std::string& data, const std::string& out) const {
    const Outcome run =
        Run({Program("hilum-sim"), "run", Path("study.yaml"), "--data",
             Path(data), "--sites", "3", "--partition", "iid",
             "--secure-aggregation", "off", "--out", Path(out)});
    EXPECT_EQ(run.exit_status, 0) << run.output;
    return nlohmann::json::parse(Text(absl::StrCat(out, "/report.json")),
                                 nullptr, /*allow_exceptions=*/false);
  }
};

TEST_F(CaseStoreTest, AStoreWithoutMasksGetsThemAndIsTrainedOn) {
  MakeDataAndStudy();
  WriteLabels();
  const std::string store = Path("store");
  MustRun({Program("hilum-ingest"), "folder", Path("data/images"), "--store",
           store, "--labels", Path("labels.csv")},
          "120 cases ready");
  MustRun({Program("hilum-trainer"), "segment", "run", "--data",
           Path("store/cases.csv"), "--only-missing", "--out", Path("masks")},
          "all");
  MustRun({Program("hilum-ingest"), "masks", Path("masks"), "--store", store},
          "masks: 120 taken in");
  const nlohmann::json report = Study("store/cases.csv", "out");
  ASSERT_TRUE(report.contains("arms"));
  const auto cases = [&](const char* arm) {
    int n = 0;
    const auto& confusion =
        report["arms"][arm]["federated"]["pooled"]["confusion"];
    for (const auto& row : confusion) {
      for (const auto& cell : row) n += cell.get<int>();
    }
    return n;
  };
  EXPECT_EQ(cases("whole"), 120);
  // Masks pass the mask check, although no phantom was in its training data.
  EXPECT_GT(cases("segmented"), 12);
}

}  // namespace
}  // namespace hilum
