// SPDX-License-Identifier: Apache-2.0
// Replaces libFuzzer where it is not linked: runs the target once over every
// file of the given folders, in the order of their names. The last name printed
// is the file that broke the target.
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
    // A buffer of the file's exact size, so that a sanitizer sees a read past
    // it.
    const std::string text = hilum::ReadFile(path).value();
    const std::vector<uint8_t> bytes(text.begin(), text.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  // An empty corpus tests nothing, so it is a failure.
  return paths.empty() ? 1 : 0;
}
