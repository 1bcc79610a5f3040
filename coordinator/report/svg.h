// SPDX-License-Identifier: Apache-2.0
// The report's charts, as inline SVG styled by the page.
#ifndef HILUM_COORDINATOR_REPORT_SVG_H_
#define HILUM_COORDINATOR_REPORT_SVG_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace hilum {

// Escapes text for HTML and SVG.
std::string EscapeHtml(absl::string_view text);

struct ChartLine {
  std::string label;  // plain text
  std::vector<std::pair<double, double>> points;
  std::optional<std::pair<double, double>> marked = std::nullopt;  // a dot
};

struct ChartOptions {
  std::string title;  // plain text, for screen readers
  std::string x_label;
  std::string y_label;
  double x_min;
  double x_max;
  double y_min;
  double y_max;
  bool diagonal;  // the line of chance
};

// Returns a line chart with its legend below. The colours are Okabe and Ito's,
// which colour-blind people can distinguish; lines also differ in their dashes.
std::string LineChart(const ChartOptions& options,
                      const std::vector<ChartLine>& lines);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_SVG_H_
