// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_MODEL_PICKLE_MACHINE_H_
#define HILUM_COMMON_MODEL_PICKLE_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/pickle.h"

namespace hilum {

// The stack machine that runs a pickle's opcodes. One object is one pickle:
// Run. Not thread-safe.
class PickleMachine {
 public:
  explicit PickleMachine(absl::string_view bytes) : bytes_(bytes) {}

  absl::StatusOr<Pickle> Run();

 private:
  using Kind = PickleNode::Kind;
  using Refs = std::vector<PickleRef>;
  // One opcode's action; `argument` is the table's.
  using Action = absl::Status (PickleMachine::*)(int argument);
  struct Opcode {
    uint8_t code;
    const char* name;
    Action run;  // null: only named in a refusal
    int argument;
  };
  static const Opcode kOpcodes[];
  static constexpr PickleRef kNoRef = ~PickleRef{0};

  absl::Status Step();

  // Takes bytes behind the opcode. Errors give the opcode's offset.
  absl::Status Take(uint64_t size, absl::string_view& taken);
  absl::Status TakeNumber(int size, uint64_t& number);
  absl::Status TakeCounted(int size, absl::string_view& taken);
  absl::Status TakeLine(absl::string_view& line);

  // Stack operations. Nothing is popped from below the last mark.
  absl::Status Pop(PickleRef& ref);
  absl::Status PopToMark(Refs& refs);
  absl::Status Push(PickleRef ref);
  absl::Status PushNode(PickleNode node);
  absl::Status Top(PickleRef& ref);
  absl::Status Hold(PickleRef holder, const Refs& refs);

  // Opcode actions; a comment beside each explains its `argument`.
  absl::Status Proto(int);
  absl::Status Frame(int);
  absl::Status Mark(int);
  absl::Status Drop(int to_mark);
  absl::Status Dup(int);
  absl::Status Constant(int value);  // negative: None
  absl::Status Integer(int bytes);   // negative: signed
  absl::Status Long(int length_bytes);
  absl::Status Float(int);
  absl::Status Text(int length_bytes);
  absl::Status Bytes(int length_bytes);
  absl::Status Empty(int kind);
  absl::Status Tuple(int items);
  absl::Status Gather(int kind);  // from the mark
  absl::Status Append(int many);
  absl::Status SetItems(int many);
  absl::Status AddItems(int);
  absl::Status Global(int);
  absl::Status StackGlobal(int);
  absl::Status Reduce(int);
  absl::Status NewObject(int);
  absl::Status Build(int);
  absl::Status Persistent(int);
  absl::Status Put(int index_bytes);  // 0: the next
  absl::Status Get(int index_bytes);

  absl::Status PushGlobal(absl::string_view module, absl::string_view name);
  absl::Status CallOf(PickleRef callee, PickleRef arguments, PickleNode& call);
  bool IsMember(PickleRef callee, PickleRef arguments) const;
  bool TakesItems(PickleRef ref, Kind kind);
  absl::Status PairsOf(const PickleNode& arguments, Refs& pairs);
  absl::Status Bad(absl::string_view what) const;
  absl::Status Bad(uint64_t offset, absl::string_view what) const;
  absl::Status TooMuch(absl::string_view what) const;
  std::string NameOf(PickleRef ref) const;
  // Names the class of a record or call, for a refusal.
  std::string Described(PickleRef ref) const;

  absl::string_view bytes_;
  uint64_t at_ = 0;         // of the next byte
  uint64_t opcode_ = 0;     // of the opcode that runs
  uint64_t frame_end_ = 0;  // of the last frame
  bool stopped_ = false;
  Refs stack_;
  std::vector<size_t> marks_;  // sizes of the stack
  Refs memo_;
  uint64_t held_ = 0;
  Pickle pickle_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_PICKLE_MACHINE_H_
