// SPDX-License-Identifier: Apache-2.0
// Compares every file of the shared DICOM set with its manifest. Files that can
// be decoded are, byte for byte where the bytes are known; files that must be
// refused are; and of the decoded ones exactly the chest radiographs are
// accepted.
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/ingest/inspect.h"

namespace hilum {
namespace {

const char kFolder[] = HILUM_SOURCE_DIR "/../shared/dicom/";

// Cells may be quoted; none contains a quote or a line end.
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

using Row = std::map<std::string, std::string>;

std::vector<Row> ReadManifest() {
  std::ifstream file(absl::StrCat(kFolder, "manifest.csv"));
  std::vector<Row> rows;
  std::string line;
  if (!std::getline(file, line)) return rows;
  const std::vector<std::string> names = Cells(line);
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = Cells(line);
    EXPECT_EQ(cells.size(), names.size()) << line;
    Row row;
    for (size_t i = 0; i < cells.size() && i < names.size(); ++i) {
      row[names[i]] = cells[i];
    }
    rows.push_back(row);
  }
  return rows;
}

long PeakMegabytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss >> 10;
}

void CheckRow(const Row& row) {
  const std::string file = row.at("file");
  const Inspection found = InspectFile(absl::StrCat(kFolder, file));
  const bool decodable = row.at("expected") == "decodable";
  ASSERT_TRUE(found.readable) << file;
  if (row.at("certainty") == "must") {
    EXPECT_EQ(found.decoded, decodable) << file << ": " << found.reason;
  }
  EXPECT_EQ(found.accepted, found.reason.empty()) << file;
  EXPECT_EQ(found.accepted, found.decoded && row.at("is_chest_xray") == "yes")
      << file << ": " << found.reason;
  if (!found.decoded) return;
  EXPECT_EQ(absl::StrCat(*found.rows), row.at("rows")) << file;
  EXPECT_EQ(absl::StrCat(*found.columns), row.at("cols")) << file;
  EXPECT_EQ(found.transfer_syntax, row.at("transfer_syntax_uid")) << file;
  if (row.at("pixel_sha256").empty()) return;
  EXPECT_EQ(found.stored_sha256, row.at("pixel_sha256")) << file;
}

TEST(ManifestTest, EveryFileIsJudgedAsTheManifestSays) {
  const std::vector<Row> rows = ReadManifest();
  if (rows.empty()) GTEST_SKIP() << "no shared files in " << kFolder;
  for (const Row& row : rows) CheckRow(row);
  EXPECT_GE(rows.size(), 80u);
  // The decompression bombs among them ask for 8 GB.
  EXPECT_LT(PeakMegabytes(), 500);
}

GrayImage Decoded(const std::string& name) {
  auto bytes = ReadFile(absl::StrCat(kFolder, "files/", name));
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  auto image = DecodeImage(*bytes);
  EXPECT_TRUE(image.ok()) << name << ": " << image.status();
  return image.ok() ? *std::move(image) : GrayImage();
}

float LargestDifference(const GrayImage& a, const GrayImage& b) {
  if (a.pixels.size() != b.pixels.size()) return 1;
  float largest = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  }
  return largest;
}

double MeanDifference(const GrayImage& a, const GrayImage& b) {
  if (a.pixels.size() != b.pixels.size()) return 1;
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    sum += std::abs(a.pixels[i] - b.pixels[i]);
  }
  return sum / static_cast<double>(a.pixels.size());
}

TEST(ManifestTest, OneFilmLooksTheSameInEveryTransferSyntax) {
  if (ReadManifest().empty()) GTEST_SKIP() << "no shared files";
  const GrayImage film = Decoded("chestA_expLE.dcm");
  for (const char* lossless :
       {"implLE", "bigendian", "deflated", "rle", "jpegll57", "jpegll70",
        "jpegls80", "j2k90", "htj2k201", "htj2k202_rpcl"}) {
    EXPECT_EQ(LargestDifference(
                  film, Decoded(absl::StrCat("chestA_", lossless, ".dcm"))),
              0)
        << lossless;
  }
  // Near-lossless stays within 3 of 979.
  EXPECT_LE(LargestDifference(film, Decoded("chestA_jpegls81_near3.dcm")),
            3.01f / 978);
  for (const char* lossy :
       {"jpegbase50", "jpegext51", "j2k91", "htj2k203_lossy"}) {
    EXPECT_LE(
        MeanDifference(film, Decoded(absl::StrCat("chestA_", lossy, ".dcm"))),
        1 / 255.0)
        << lossy;
  }
}

TEST(ManifestTest, StoredInvertedLooksTheSame) {
  if (ReadManifest().empty()) GTEST_SKIP() << "no shared files";
  EXPECT_LE(LargestDifference(Decoded("chestA_expLE.dcm"),
                              Decoded("chestA_mono2_inverted.dcm")),
            1.01f / 978);
}

}  // namespace
}  // namespace hilum
