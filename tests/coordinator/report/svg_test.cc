// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

ChartOptions Unit() {
  return {.title = "ROC",
          .x_label = "x",
          .y_label = "y",
          .x_min = 0,
          .x_max = 1,
          .y_min = 0,
          .y_max = 1,
          .diagonal = false};
}

TEST(SvgTest, EveryCharacterOfMarkupIsEscapedOnce) {
  EXPECT_EQ(EscapeHtml("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
  EXPECT_EQ(EscapeHtml("&lt;"), "&amp;lt;");
}

// SVG counts downward: a chart that forgot it would stand on its head.
TEST(SvgTest, LineGoesFromTheLowerLeftToTheUpperRight) {
  const std::string chart = LineChart(Unit(), {{"a", {{0, 0}, {1, 1}}}});
  EXPECT_THAT(chart, HasSubstr("points='58.00,332.00 446.00,14.00 '"));
}

TEST(SvgTest, LabelsAreText) {
  ChartOptions options = Unit();
  options.title = "<t>";
  options.x_label = "<x>";
  const std::string chart = LineChart(options, {{"<script>", {{0, 0}}}});
  EXPECT_THAT(chart, Not(HasSubstr("<script>")));
  EXPECT_THAT(chart, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(chart, HasSubstr("<title>&lt;t&gt;</title>"));
  EXPECT_THAT(chart, HasSubstr("&lt;x&gt;"));
}

TEST(SvgTest, LineOfChanceAndMarksAreThereWhereAskedFor) {
  ChartOptions options = Unit();
  ChartLine line{.label = "a", .points = {{0, 0}, {0.5, 1}}};
  EXPECT_THAT(LineChart(options, {line}), Not(HasSubstr("class='chance")));
  EXPECT_THAT(LineChart(options, {line}), Not(HasSubstr("<circle")));
  options.diagonal = true;
  line.marked = {0.5, 1};
  const std::string chart = LineChart(options, {line});
  EXPECT_THAT(chart, HasSubstr("<line class='chance' x1='58.0' y1='332.0' "
                               "x2='446.0' y2='14.0'/>"));
  EXPECT_THAT(chart, HasSubstr("<circle cx='252.0' cy='14.0' r='4'"));
}

TEST(SvgTest, ZeroInTheMiddleOfAnAxisIsZero) {
  ChartOptions options = Unit();
  options.y_min = -0.13;
  options.y_max = 0.52;
  const std::string chart = LineChart(options, {});
  EXPECT_THAT(chart, HasSubstr("text-anchor='end'>0</text>"));
  EXPECT_THAT(chart, Not(HasSubstr("e-1")));
}

// All rounds with one loss, or a single round.
TEST(SvgTest, RangeOfNoLengthGivesNumbers) {
  ChartOptions options = Unit();
  options.x_max = options.y_max = 0;
  const std::string chart = LineChart(options, {{"a", {{0, 0}}}});
  EXPECT_THAT(chart, Not(HasSubstr("nan")));
  EXPECT_THAT(chart, Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace hilum
