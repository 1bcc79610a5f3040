// SPDX-License-Identifier: Apache-2.0
// Fuzzes files of torch.save, zip and older. Accepted weights lie within the
// file, and are written and read back.
#include <filesystem>
#include <set>

#include "common/model/torch_file.h"
#include "common/model/torch_writer.h"
#include "common/model/weights_file.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

void CheckWithin(const TensorView& view, absl::string_view bytes) {
  HILUM_CHECK(CheckView(view).ok());
  HILUM_CHECK(view.storage.empty() ||
              (view.storage.data() >= bytes.data() &&
               view.storage.data() + view.storage.size() <=
                   bytes.data() + bytes.size()));
}

void CheckRoundTrip(const Architecture& architecture,
                    const std::vector<float>& values) {
  const std::string path = std::filesystem::temp_directory_path() /
                           absl::StrCat("hilum-torch-fuzz-", getpid());
  HILUM_CHECK(WriteTorchFile(path, architecture, values).ok());
  HILUM_CHECK(ReadWeights(path, architecture, {}).value() == values);
  unlink(path.c_str());
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<WeightsContent> content = ParseTorchFile(bytes);
  if (!content.ok()) return 0;
  const std::vector<NamedTensor>& tensors = content->tensors;
  Architecture architecture{.name = "fuzz", .num_blocks = 1, .tensors = {}};
  std::set<std::string> names;
  for (const NamedTensor& tensor : tensors) {
    CheckWithin(tensor.view, bytes);
    HILUM_CHECK(names.insert(tensor.name).second);
    architecture.tensors.push_back(
        {tensor.name, tensor.view.shape, Init::kZero, 0});
  }
  FittingArchitectures(tensors);
  absl::StatusOr<std::vector<float>> values =
      FitWeights(tensors, architecture, {});
  if (values.ok()) CheckRoundTrip(architecture, *values);
  return 0;
}
