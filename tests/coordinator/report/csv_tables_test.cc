// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/csv_tables.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/str_split.h"
#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class CsvTablesTest : public ReportTest {
 protected:
  std::string Table(const std::string& name) {
    return ReadFile(absl::StrCat(folder_, "/tables/", name)).value_or("");
  }
};

TEST_F(CsvTablesTest, EveryTableIsWrittenAndEveryRowHasAllColumns) {
  Write({});
  for (const std::string& path : CsvTablePaths(study_)) {
    const auto text = ReadFile(absl::StrCat(folder_, "/", path));
    ASSERT_TRUE(text.ok()) << text.status();
    const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
    ASSERT_GT(lines.size(), 2u) << path;
    const auto columns = [](const std::string& line) {
      return std::count(line.begin(), line.end(), ',');
    };
    for (size_t i = 0; i + 1 < lines.size(); ++i) {
      EXPECT_EQ(columns(lines[i]), columns(lines[0]))
          << path << ": " << lines[i];
    }
    EXPECT_EQ(lines.back(), "");
  }
}

TEST_F(CsvTablesTest, HoldTheFiguresOfTheReport) {
  Write({});
  EXPECT_THAT(Table("auc.csv"), HasSubstr("\nwhole,sick,fold_mean,40,40,0.9,"));
  EXPECT_THAT(Table("auc.csv"), HasSubstr("\nwhole,well,fold-2,20,20,0.9,"));
  EXPECT_THAT(Table("operating_points.csv"),
              HasSubstr("\nwhole,sick,youden,,40,40,0.9,"));
  EXPECT_THAT(Table("average_precision.csv"),
              HasSubstr("\nwhole,sick,40,40,0.86,"));
  EXPECT_THAT(Table("curves.csv"), HasSubstr(",1,0,0.5\n"));
}

TEST_F(CsvTablesTest, WithoutCasesThereAreEmptyCells) {
  TrainOnly({0, 0, 0});
  Write({});
  EXPECT_THAT(Table("auc.csv"), HasSubstr("\nwhole,sick,pooled,,,,,,\n"));
  EXPECT_EQ(Table("curves.csv"),
            "arm,class,threshold,sensitivity,specificity,precision\n");
}

}  // namespace
}  // namespace hilum
