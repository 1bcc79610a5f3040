// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html.h"

#include <gmock/gmock.h>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

using HtmlTest = ReportTest;

TEST_F(HtmlTest, UntrainedModelsAreSaidBeforeAnyFigure) {
  TrainOnly({0, 40, 80});
  Write({});
  const size_t said = html_.find("Not trained");
  ASSERT_NE(said, std::string::npos);
  EXPECT_LT(said, html_.find("<h2>"));
  EXPECT_THAT(html_, HasSubstr("whole-fold-1"));
  // The starting weights would have had this figure.
  EXPECT_THAT(html_, Not(HasSubstr("<td>80</td><td>90.0 %")));
  EXPECT_THAT(html_, HasSubstr("<td>fold 2</td><td>40</td><td>90.0 %"));
}

TEST_F(HtmlTest, TrainedModelsNeedNoWord) {
  TrainOnly({40, 40, 80});
  Write({});
  EXPECT_THAT(html_, Not(HasSubstr("rained,")));
  EXPECT_THAT(html_, HasSubstr("<td>80</td><td>90.0 %"));
}

}  // namespace
}  // namespace hilum
