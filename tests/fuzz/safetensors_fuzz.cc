// SPDX-License-Identifier: Apache-2.0
// Fuzzes files of weights. Accepted weights are written and read back.
#include <filesystem>

#include "common/model/safetensors.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  const Architecture architecture{
      .name = "two",
      .tensors = {{"a", {2, 3}, Init::kZero, 0}, {"b", {1}, Init::kZero, 0}}};
  const MemoryFile file(FuzzInput(data, size).Rest());
  absl::StatusOr<std::vector<float>> read =
      ReadSafetensors(file.path(), architecture);
  if (!read.ok()) return 0;
  HILUM_CHECK(read->size() == 7);
  const std::string again = std::filesystem::temp_directory_path() /
                            absl::StrCat("hilum-safetensors-fuzz-", getpid());
  HILUM_CHECK(WriteSafetensors(again, architecture, *read, {}).ok());
  HILUM_CHECK(ReadSafetensors(again, architecture).value() == *read);
  unlink(again.c_str());
  return 0;
}
