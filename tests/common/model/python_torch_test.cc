// SPDX-License-Identifier: Apache-2.0
// Tests against Python's torch, where it is installed (Debian: python3-torch):
// reads files of every kind that it writes, with the same values, and lets it
// open the files that are written here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/model/torch_writer.h"
#include "common/model/weights_file.h"
#include "tests/support/run_command.h"

namespace hilum {
namespace {

class PythonTorchTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* python : {"python3", "/usr/bin/python3"}) {
      python_ = python;
      if (RunCommand(python_ + " -c 'import torch' 2>&1").second == 0) return;
    }
    GTEST_SKIP() << "no Python with torch here; Debian has python3-torch";
  }

  std::pair<std::string, int> Script(const std::string& arguments) const {
    return RunCommand(absl::StrCat(python_, " ", HILUM_SOURCE_DIR,
                                   "/tests/common/model/torch_files.py ",
                                   arguments, " 2>&1"));
  }

  std::string python_;
  const std::string folder_ = absl::StrCat(testing::TempDir(), "/torch-files");
};

// Returns the lines that torch_files.py prints.
std::string Lines(const WeightsFile& file) {
  std::string text;
  for (const NamedTensor& tensor : file.tensors()) {
    std::vector<float> values(static_cast<size_t>(tensor.view.size()));
    EXPECT_TRUE(CopyAsFloat32(tensor.name, tensor.view, values.data()).ok());
    absl::StrAppend(&text, tensor.name, ";",
                    absl::StrJoin(tensor.view.shape, ","), ";",
                    absl::StrJoin(values, ",",
                                  [](std::string* out, float value) {
                                    absl::StrAppendFormat(out, "%.9g", value);
                                  }),
                    "\n");
  }
  return text;
}

std::vector<std::string> Sorted(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST_F(PythonTorchTest, WhatPythonWritesIsReadWithItsValues) {
  ASSERT_TRUE(MakeDirectories(folder_).ok());
  auto [said, status] = Script("make " + folder_);
  ASSERT_EQ(status, 0) << said;
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() != ".pth") continue;
    auto file = WeightsFile::Open(entry.path());
    ASSERT_TRUE(file.ok()) << file.status();
    std::filesystem::path text = entry.path();
    text.replace_extension(".txt");
    ++read;
    if (!std::filesystem::exists(text)) continue;
    EXPECT_EQ(Sorted(Lines(*file)), Sorted(ReadFile(text).value()))
        << entry.path();
  }
  EXPECT_EQ(read, 19);
}

TEST_F(PythonTorchTest, PythonOpensWhatIsWrittenHere) {
  const Architecture small = LookUpArchitecture({"hilum_small", 4}).value();
  const std::string path = absl::StrCat(testing::TempDir(), "/small.pth");
  ASSERT_TRUE(WriteTorchFile(path, small, InitialWeights(small, 3)).ok());
  auto [said, status] = Script("check " + path);
  ASSERT_EQ(status, 0) << said;
  EXPECT_EQ(said, Lines(WeightsFile::Open(path).value()));
}

}  // namespace
}  // namespace hilum
