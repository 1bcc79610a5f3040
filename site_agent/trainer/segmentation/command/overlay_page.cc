// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/command/overlay_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/pictures/stamp_text.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"
#include "site_agent/trainer/segmentation/overlap.h"
#include "site_agent/trainer/segmentation/segment_cases.h"

namespace hilum {
namespace {

constexpr int kColumns = 4, kTile = 320, kGap = 8;
constexpr int kCaption = 28;  // rows below a tile, for two lines

using Colour = std::array<uint8_t, 3>;
// Okabe and Ito's colours, which colour-blind people can tell apart: on black,
// and on white.
constexpr Colour kFound[2] = {{230, 159, 0}, {213, 94, 0}};
constexpr Colour kGiven[2] = {{86, 180, 233}, {0, 114, 178}};
constexpr Colour kRejected[2] = {{204, 121, 167}, {0, 0, 0}};
constexpr int kMark = 4;  // pixels of a rejected tile's frame

void Paint(RgbImage& image, int row, int column, const Colour& colour) {
  const size_t at = 3 * (static_cast<size_t>(row) * image.columns + column);
  std::copy(colour.begin(), colour.end(), image.pixels.begin() + at);
}

RgbImage Blank(int rows, int columns) {
  return {rows, columns,
          std::vector<uint8_t>(3 * static_cast<size_t>(rows) * columns, 255)};
}

// Scales to kTile on the longer side, keeping proportions.
GrayImage ToTile(const GrayImage& image) {
  const double scale =
      static_cast<double>(kTile) / std::max(image.rows, image.columns);
  const auto side = [&](int pixels) {
    return std::clamp(static_cast<int>(std::lround(pixels * scale)), 1, kTile);
  };
  return ResizeImage(image, side(image.rows), side(image.columns));
}

// Returns the picture with grays stretched as for a network.
absl::StatusOr<RgbImage> Picture(const GrayImage& image, bool bare) {
  const GrayImage tile = ToTile(image);
  RgbImage out = Blank(tile.rows, tile.columns);
  if (bare) return out;
  HILUM_ASSIGN_OR_RETURN(const SizedPlane plane,
                         PrepareWholeWithin(tile, kTile));
  for (size_t i = 0; i < plane.pixels.size(); ++i) {
    std::fill_n(out.pixels.begin() + static_cast<ptrdiff_t>(3 * i), 3,
                static_cast<uint8_t>(plane.pixels[i] >> 8));
  }
  return out;
}

GrayImage ToGray(const BinaryMask& mask) {
  return {mask.rows, mask.columns, {mask.pixels.begin(), mask.pixels.end()}};
}

// Draws the mask's border pixels, two wide.
void Outline(const BinaryMask& mask, const Colour& colour, RgbImage& picture) {
  const GrayImage lungs =
      ResizeImage(ToGray(mask), picture.rows, picture.columns);
  const auto inside = [&](int r, int c) {
    return r >= 0 && c >= 0 && r < lungs.rows && c < lungs.columns &&
           lungs.at(r, c) > 0.5f;
  };
  for (int r = 0; r < lungs.rows; ++r) {
    for (int c = 0; c < lungs.columns; ++c) {
      if (!inside(r, c)) continue;
      const bool edge = !inside(r - 2, c) || !inside(r + 2, c) ||
                        !inside(r, c - 2) || !inside(r, c + 2);
      if (edge) Paint(picture, r, c, colour);
    }
  }
}

void PutTile(const RgbImage& tile, int number, RgbImage& page) {
  const int top = kGap + number / kColumns * (kTile + kCaption + kGap);
  const int left = kGap + number % kColumns * (kTile + kGap);
  for (int r = 0; r < tile.rows; ++r) {
    const auto from =
        tile.pixels.begin() + static_cast<ptrdiff_t>(3) * r * tile.columns;
    const size_t to = 3 * (static_cast<size_t>(top + r) * page.columns + left);
    std::copy_n(from, 3 * tile.columns,
                page.pixels.begin() + static_cast<ptrdiff_t>(to));
  }
}

// Draws a cross through the picture and a frame around it.
void MarkRejected(const Colour& colour, RgbImage& picture) {
  for (int r = 0; r < picture.rows; ++r) {
    for (int c = 0; c < picture.columns; ++c) {
      const bool frame = r < kMark || c < kMark || r >= picture.rows - kMark ||
                         c >= picture.columns - kMark;
      const int across = c * picture.rows / picture.columns;
      const bool cross =
          std::abs(across - r) < 1 || std::abs(across - (picture.rows - r)) < 1;
      if (frame || cross) Paint(picture, r, c, colour);
    }
  }
}

// Returns the name by which a person finds the case again: a store's case, or
// the file's name without its ending, shortened in the middle. Do not use it on
// a bare page, which may be passed on: file names may be patients' names.
std::string IdOf(const CaseRow& row) {
  const std::optional<CaseEntry> entry = ParseCaseEntry(row.path);
  if (entry.has_value()) return entry->case_id;
  std::string name = row.file.substr(row.file.rfind('/') + 1);
  name = name.substr(0, name.rfind('.'));
  constexpr size_t kMost = 24;
  if (name.size() <= kMost) return name;
  return absl::StrCat(name.substr(0, kMost / 2 - 1), "..",
                      name.substr(name.size() - kMost / 2 + 1));
}

// One page. Life: Add for each case; then Encode.
class Page {
 public:
  Page(int tiles, bool bare) : bare_(bare) {
    const int rows = (tiles + kColumns - 1) / kColumns;
    page_ = Blank(kGap + rows * (kTile + kCaption + kGap),
                  kGap + std::min(tiles, kColumns) * (kTile + kGap));
  }

  absl::Status Add(const GrayImage& image, const BinaryMask& found,
                   const std::optional<BinaryMask>& given, bool rejected,
                   absl::Span<const std::string> text) {
    HILUM_ASSIGN_OR_RETURN(RgbImage tile, Picture(image, bare_));
    if (given.has_value()) Outline(*given, kGiven[bare_], tile);
    Outline(found, kFound[bare_], tile);
    if (rejected) MarkRejected(kRejected[bare_], tile);
    RgbImage caption = Blank(kCaption, tile.columns);
    if (!StampLines(text, caption)) StampText(text.back(), caption);
    tile.rows += kCaption;
    tile.pixels.insert(tile.pixels.end(), caption.pixels.begin(),
                       caption.pixels.end());
    PutTile(tile, tiles_++, page_);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Encode() const {
    return EncodePngRgb8(page_.rows, page_.columns, page_.pixels);
  }

 private:
  const bool bare_;
  RgbImage page_;
  int tiles_ = 0;
};

absl::Status AddCase(const CaseRow& row, const std::string& label,
                     const CaseLoader& loader, Segmenter& segmenter, bool bare,
                     Page& page, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(const GrayImage image, loader.Image(row));
  HILUM_ASSIGN_OR_RETURN(const BinaryMask found,
                         SegmentImage(segmenter, image, {}));
  std::optional<BinaryMask> given;
  std::string dice = "-";
  if (!row.mask.empty()) {
    HILUM_ASSIGN_OR_RETURN(given, loader.Mask(row, image.rows, image.columns));
    dice = absl::StrFormat("%.3f", OverlapOf(found, *given).dice);
  }
  const LungMaskVerdict verdict = JudgeLungMask(found);
  out << absl::StrFormat("row %d  %s  %s  dice %s  %s\n", row.row, IdOf(row),
                         label, dice,
                         verdict.accepted() ? "accepted" : verdict.reason);
  return page.Add(
      image, found, given, !verdict.accepted(),
      {absl::StrCat("row ", row.row, bare ? "" : " ", bare ? "" : IdOf(row)),
       absl::StrCat(label, " ", dice, verdict.accepted() ? "" : " rejected")});
}

}  // namespace

std::vector<size_t> SpreadOverLabels(absl::Span<const int> labels, int count) {
  std::map<int, std::vector<size_t>> by_label;
  for (size_t i = 0; i < labels.size(); ++i) by_label[labels[i]].push_back(i);
  std::map<int, size_t> wanted;
  const size_t all = std::min(labels.size(), static_cast<size_t>(count));
  for (size_t given = 0; given < all;) {
    for (const auto& [label, cases] : by_label) {
      if (given == all || wanted[label] == cases.size()) continue;
      ++wanted[label];
      ++given;
    }
  }
  std::vector<size_t> chosen;
  for (const auto& [label, cases] : by_label) {
    for (size_t i = 0; i < wanted[label]; ++i) {
      chosen.push_back(cases[(2 * i + 1) * cases.size() / (2 * wanted[label])]);
    }
  }
  return chosen;
}

absl::Status DrawOverlayPage(const OverlayPage& options, std::ostream& out) {
  if (!absl::EndsWith(options.out, ".png")) {
    return UsageError(absl::StrCat(options.out, ": name it .png"));
  }
  HILUM_ASSIGN_OR_RETURN(LabelledManifest read,
                         ReadAnyManifest(options.rows.data));
  std::vector<const CaseRow*> rows;
  std::vector<int> labels;
  for (const CaseRow& row : read.manifest.cases) {
    if (!IsScored(options.rows, row)) continue;
    rows.push_back(&row);
    labels.push_back(row.label);
  }
  if (rows.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.rows.data, ": no rows to draw"));
  }
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Segmenter> segmenter,
                         LoadSegmenter(options.weights));
  Segmenter::SetThreads(options.threads);
  const CaseLoader loader(read.manifest);
  const std::vector<size_t> chosen = SpreadOverLabels(labels, options.count);
  Page page(static_cast<int>(chosen.size()), options.bare);
  for (size_t i : chosen) {
    const absl::Status status =
        AddCase(*rows[i], read.labels[static_cast<size_t>(labels[i])], loader,
                *segmenter, options.bare, page, out);
    if (status.ok()) continue;
    return absl::Status(status.code(), absl::StrCat("row ", rows[i]->row, ": ",
                                                    status.message()));
  }
  HILUM_ASSIGN_OR_RETURN(const std::string png, page.Encode());
  return WriteFileAtomically(options.out, png, Durability::kNone);
}

}  // namespace hilum
