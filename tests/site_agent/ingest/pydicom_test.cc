// SPDX-License-Identifier: Apache-2.0
// Compares every gray image of the shared set, pixel by pixel, with pydicom
// where it is installed (python3-pydicom, and python3-gdcm for compressed
// pixels).
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/dicom/dicom_file.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

const char kFolder[] = HILUM_SOURCE_DIR "/../shared/dicom/files";
// Only the distribution's Python has the distribution's packages.
const char kPython[] = "/usr/bin/python3";

// float32 against float64, or one step of 255 if decoders may differ.
const char* ToleranceOf(const std::string& bytes) {
  const std::string syntax = ReadTransferSyntaxUid(bytes).value_or("");
  for (const char* lossy : {".4.50", ".4.51", ".4.81", ".4.91", ".4.203"}) {
    if (absl::EndsWith(syntax, lossy)) return "0.00392157";
  }
  return "0.000001";
}

// Writes the grays of every file that can be decoded; returns
// compare_grays.py's input.
std::string WriteGrays(const std::string& folder) {
  std::string list;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    auto bytes = ReadFile(entry.path());
    if (!bytes.ok()) continue;
    auto image = DecodeImage(*bytes);
    if (!image.ok()) continue;
    const std::string raw =
        absl::StrCat(folder, "/", entry.path().filename().string(), ".raw");
    const absl::string_view floats(
        reinterpret_cast<const char*>(image->pixels.data()),
        image->pixels.size() * sizeof(float));
    EXPECT_TRUE(WriteFileAtomically(raw, floats, Durability::kNone).ok());
    absl::StrAppend(&list, entry.path().string(), "\t", raw, "\t",
                    ToleranceOf(*bytes), "\n");
  }
  return list;
}

std::string Output(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) {
    out.append(buffer, got);
  }
  pclose(pipe);
  return out;
}

TEST(PydicomTest, GraysAreThoseOfAnIndependentPipeline) {
  if (!fs::exists(kFolder)) GTEST_SKIP() << "no shared files in " << kFolder;
  const std::string probe =
      absl::StrCat(kPython, " -c 'import numpy, pydicom' >/dev/null 2>&1");
  if (std::system(probe.c_str()) != 0) GTEST_SKIP() << "no pydicom here";
  const std::string folder = absl::StrCat(testing::TempDir(), "/grays");
  fs::create_directories(folder);
  const std::string list = absl::StrCat(folder, "/list");
  ASSERT_TRUE(
      WriteFileAtomically(list, WriteGrays(folder), Durability::kNone).ok());
  std::istringstream lines(Output(absl::StrCat(
      kPython,
      " " HILUM_SOURCE_DIR "/tests/site_agent/ingest/compare_grays.py < ", list,
      " 2>/dev/null")));
  int same = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_FALSE(absl::StartsWith(line, "differs")) << line;
    same += absl::StartsWith(line, "same");
    if (absl::StartsWith(line, "unread")) std::printf("%s\n", line.c_str());
  }
  std::printf("%d images compared\n", same);
  EXPECT_GE(same, 10);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace hilum
