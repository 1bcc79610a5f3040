// SPDX-License-Identifier: Apache-2.0
// In libFuzzer's place where it is not: runs the target once over every file
// of the folders given, in the order of their names. The last name printed is
// the file that broke it.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    std::fprintf(stderr, "%s\n", path.c_str());
    // Not longer than its bytes, so that a sanitizer sees a read past them.
    const std::string text = hilum::ReadFile(path).value();
    const std::vector<uint8_t> bytes(text.begin(), text.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  // Without a corpus nothing was tested.
  return paths.empty() ? 1 : 0;
}
