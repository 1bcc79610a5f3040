// SPDX-License-Identifier: Apache-2.0
// Fuzzes pickles. A pickle that is accepted is a table whose values refer only
// to values in it.
#include "common/model/pickle.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<Pickle> pickle = Pickle::Read(bytes);
  if (!pickle.ok()) {
    HILUM_CHECK(!pickle.status().message().empty());
    return 0;
  }
  HILUM_CHECK(pickle->size() <= size);
  for (const PickleNode& node : pickle->nodes()) {
    for (PickleRef ref : node.items) HILUM_CHECK(ref < pickle->nodes().size());
    HILUM_CHECK(node.offset < size);
    HILUM_CHECK(node.kind != PickleNode::Kind::kDict ||
                node.items.size() % 2 == 0);
    if (node.kind == PickleNode::Kind::kCall)
      HILUM_CHECK(node.items.size() == 2);
    pickle->Find(node, "state_dict");
  }
  // The bytes of the pickle alone read as the same pickle.
  absl::StatusOr<Pickle> again = Pickle::Read(bytes.substr(0, pickle->size()));
  HILUM_CHECK(again.ok() && again->nodes().size() == pickle->nodes().size());
  return 0;
}
