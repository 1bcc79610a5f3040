// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle.h"

#include "common/model/pickle_machine.h"

namespace hilum {

absl::StatusOr<Pickle> Pickle::Read(absl::string_view bytes) {
  return PickleMachine(bytes).Run();
}

const PickleNode* Pickle::Find(const PickleNode& node,
                               absl::string_view key) const {
  if (node.kind != PickleNode::Kind::kDict) return nullptr;
  const PickleNode* found = nullptr;
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const PickleNode& name = at(node.items[i]);
    if (name.kind == PickleNode::Kind::kText && name.text == key) {
      found = &at(node.items[i + 1]);
    }
  }
  return found;
}

}  // namespace hilum
