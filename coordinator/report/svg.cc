// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/svg.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace hilum {
namespace {

constexpr double kWidth = 460;
constexpr double kHeight = 380;
constexpr double kLeft = 58, kRight = 14, kTop = 14, kBottom = 48;
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73",
                                    "#cc79a7", "#e69f00", "#56b4e9"};
constexpr const char* kDashes[] = {"none", "7 3", "2 3", "9 3 2 3"};

class Frame {
 public:
  explicit Frame(const ChartOptions& options) : o_(options) {}
  double X(double x) const {
    double share = (x - o_.x_min) / std::max(o_.x_max - o_.x_min, 1e-12);
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  double Y(double y) const {
    double share = (y - o_.y_min) / std::max(o_.y_max - o_.y_min, 1e-12);
    return kHeight - kBottom - share * (kHeight - kTop - kBottom);
  }

 private:
  const ChartOptions& o_;
};

std::string Axes(const ChartOptions& options, const Frame& frame) {
  std::string svg;
  for (int i = 0; i <= 5; ++i) {
    double x = options.x_min + (options.x_max - options.x_min) * i / 5;
    double y = options.y_min + (options.y_max - options.y_min) * i / 5;
    // Rounding must not label a zero in the middle as 3e-17.
    if (std::abs(y) < 1e-9 * (options.y_max - options.y_min)) y = 0;
    absl::StrAppendFormat(
        &svg,
        "<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>"
        "<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>"
        "<text x='%.1f' y='%.1f' text-anchor='middle'>%.3g</text>"
        "<text x='%.1f' y='%.1f' text-anchor='end'>%.3g</text>",
        frame.X(x), frame.X(x), kTop, kHeight - kBottom, kLeft, kWidth - kRight,
        frame.Y(y), frame.Y(y), frame.X(x), kHeight - kBottom + 16, x,
        kLeft - 7, frame.Y(y) + 4, y);
  }
  absl::StrAppendFormat(
      &svg,
      "<text x='%.1f' y='%.1f' text-anchor='middle'>%s</text>"
      "<text x='14' y='%.1f' text-anchor='middle' "
      "transform='rotate(-90 14 %.1f)'>%s</text>",
      (kLeft + kWidth - kRight) / 2, kHeight - 10, EscapeHtml(options.x_label),
      (kTop + kHeight - kBottom) / 2, (kTop + kHeight - kBottom) / 2,
      EscapeHtml(options.y_label));
  return svg;
}

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&#39;"}});
}

std::string LineChart(const ChartOptions& options,
                      const std::vector<ChartLine>& lines) {
  Frame frame(options);
  std::string svg = absl::StrFormat(
      "<svg class='chart' viewBox='0 0 %g %g' role='img'><title>%s</title>",
      kWidth, kHeight, EscapeHtml(options.title));
  svg += Axes(options, frame);
  if (options.diagonal) {
    absl::StrAppendFormat(
        &svg, "<line class='chance' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>",
        frame.X(0), frame.Y(0), frame.X(1), frame.Y(1));
  }
  std::string legend = "<ul class='legend'>";
  for (size_t i = 0; i < lines.size(); ++i) {
    const char* colour = kColours[i % std::size(kColours)];
    const char* dash = kDashes[i % std::size(kDashes)];
    std::string points;
    for (const auto& [x, y] : lines[i].points) {
      absl::StrAppendFormat(&points, "%.2f,%.2f ", frame.X(x), frame.Y(y));
    }
    absl::StrAppendFormat(&svg,
                          "<polyline fill='none' stroke='%s' stroke-width='2' "
                          "stroke-dasharray='%s' points='%s'/>",
                          colour, dash, points);
    if (lines[i].marked) {
      absl::StrAppendFormat(&svg,
                            "<circle cx='%.1f' cy='%.1f' r='4' fill='%s'/>",
                            frame.X(lines[i].marked->first),
                            frame.Y(lines[i].marked->second), colour);
    }
    absl::StrAppendFormat(
        &legend,
        "<li><svg viewBox='0 0 28 8' aria-hidden='true'><line x1='0' x2='28' "
        "y1='4' y2='4' stroke='%s' stroke-width='3' stroke-dasharray='%s'/>"
        "</svg>%s</li>",
        colour, dash, EscapeHtml(lines[i].label));
  }
  return absl::StrCat(svg, "</svg>", legend, "</ul>");
}

}  // namespace hilum
