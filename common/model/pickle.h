// SPDX-License-Identifier: Apache-2.0
// Reads pickles as data. Python's own reader runs code that a pickle names;
// this reader builds a table of the pickle's values and calls nothing, whatever
// names it has. Reads the binary opcodes that protocols 2 to 5 need for
// weights. Source: Python's documentation of pickletools (opcode names).
#ifndef HILUM_COMMON_MODEL_PICKLE_H_
#define HILUM_COMMON_MODEL_PICKLE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// A value of a pickle, by its index in the table.
using PickleRef = uint32_t;

struct PickleNode {
  enum class Kind : uint8_t {
    kNone,
    kBool,        // integer
    kInt,         // integer
    kLong,        // text: two's complement, little-endian, over 8 bytes
    kFloat,       // real
    kText,        // text, UTF-8 as given
    kBytes,       // text
    kTuple,       // items
    kList,        // items
    kSet,         // items
    kDict,        // items: key, value, key, value ...; ordered ones too
    kGlobal,      // module, text: a class or a function, never looked up
    kCall,        // items: its global, its tuple of arguments; never called
    kObject,      // items: its class, what __new__ or a call would get, its
                  // state: the __dict__ or another
    kPersistent,  // items: its id
  };

  Kind kind = Kind::kNone;
  uint32_t depth = 1;
  int64_t integer = 0;
  double real = 0;
  absl::string_view module;
  absl::string_view text;
  std::vector<PickleRef> items;
  uint64_t offset = 0;  // of its opcode, in the bytes read

  bool IsGlobal(absl::string_view in_module, absl::string_view name) const {
    return kind == Kind::kGlobal && module == in_module && text == name;
  }
};

// One pickle. Its texts lie in the bytes it was read from, which must outlive
// it. Values may refer to each other in cycles: callers must bound their walks.
class Pickle {
 public:
  // Reads the pickle at the front of `bytes`; ignores bytes behind it. Takes
  // memory in proportion to the pickle's length, at most a few hundred MB.
  // INVALID_ARGUMENT, with the byte's offset: an unsupported opcode; a global
  // that is neither on the list for weights nor the class of a record; a call
  // of a global that is neither on that list nor known to make records; a
  // length past the end. RESOURCE_EXHAUSTED: too long, too many values, nested
  // too deep.
  static absl::StatusOr<Pickle> Read(absl::string_view bytes);

  // Returns the number of bytes, the last opcode included.
  uint64_t size() const { return size_; }
  const PickleNode& root() const { return nodes_[root_]; }
  const PickleNode& at(PickleRef ref) const { return nodes_[ref]; }
  const std::vector<PickleNode>& nodes() const { return nodes_; }

  // Returns the value under a text key; null where `node` is no dict or lacks
  // the key. The last of equal keys counts, as in Python.
  const PickleNode* Find(const PickleNode& node, absl::string_view key) const;

 private:
  friend class PickleMachine;
  Pickle() = default;

  std::vector<PickleNode> nodes_;
  PickleRef root_ = 0;
  uint64_t size_ = 0;
};

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_PICKLE_H_
