// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

// A whole DenseNet is 40,000 values in half a megabyte.
constexpr uint64_t kMaxBytes = 32 << 20;
constexpr size_t kMaxNodes = 1 << 20;
constexpr uint64_t kMaxHeld = 16 << 20;  // values held by others, counted often
constexpr uint32_t kMaxDepth = 500;
constexpr size_t kMaxMarks = 1000;

}  // namespace

const PickleMachine::Opcode PickleMachine::kOpcodes[] = {
    {0x80, "PROTO", &PickleMachine::Proto, 0},
    {0x95, "FRAME", &PickleMachine::Frame, 0},
    {'(', "MARK", &PickleMachine::Mark, 0},
    {'0', "POP", &PickleMachine::Drop, 0},
    {'1', "POP_MARK", &PickleMachine::Drop, 1},
    {'2', "DUP", &PickleMachine::Dup, 0},
    {'N', "NONE", &PickleMachine::Constant, -1},
    {0x88, "NEWTRUE", &PickleMachine::Constant, 1},
    {0x89, "NEWFALSE", &PickleMachine::Constant, 0},
    {'J', "BININT", &PickleMachine::Integer, -4},
    {'K', "BININT1", &PickleMachine::Integer, 1},
    {'M', "BININT2", &PickleMachine::Integer, 2},
    {0x8a, "LONG1", &PickleMachine::Long, 1},
    {0x8b, "LONG4", &PickleMachine::Long, 4},
    {'G', "BINFLOAT", &PickleMachine::Float, 0},
    {0x8c, "SHORT_BINUNICODE", &PickleMachine::Text, 1},
    {'X', "BINUNICODE", &PickleMachine::Text, 4},
    {0x8d, "BINUNICODE8", &PickleMachine::Text, 8},
    // Python 2's strings: names in old files.
    {'U', "SHORT_BINSTRING", &PickleMachine::Text, 1},
    {'T', "BINSTRING", &PickleMachine::Text, 4},
    {'C', "SHORT_BINBYTES", &PickleMachine::Bytes, 1},
    {'B', "BINBYTES", &PickleMachine::Bytes, 4},
    {0x8e, "BINBYTES8", &PickleMachine::Bytes, 8},
    {0x96, "BYTEARRAY8", &PickleMachine::Bytes, 8},
    {')', "EMPTY_TUPLE", &PickleMachine::Empty, static_cast<int>(Kind::kTuple)},
    {']', "EMPTY_LIST", &PickleMachine::Empty, static_cast<int>(Kind::kList)},
    {'}', "EMPTY_DICT", &PickleMachine::Empty, static_cast<int>(Kind::kDict)},
    {0x8f, "EMPTY_SET", &PickleMachine::Empty, static_cast<int>(Kind::kSet)},
    {0x85, "TUPLE1", &PickleMachine::Tuple, 1},
    {0x86, "TUPLE2", &PickleMachine::Tuple, 2},
    {0x87, "TUPLE3", &PickleMachine::Tuple, 3},
    {'t', "TUPLE", &PickleMachine::Gather, static_cast<int>(Kind::kTuple)},
    {'l', "LIST", &PickleMachine::Gather, static_cast<int>(Kind::kList)},
    {'d', "DICT", &PickleMachine::Gather, static_cast<int>(Kind::kDict)},
    {0x91, "FROZENSET", &PickleMachine::Gather, static_cast<int>(Kind::kSet)},
    {'a', "APPEND", &PickleMachine::Append, 0},
    {'e', "APPENDS", &PickleMachine::Append, 1},
    {'s', "SETITEM", &PickleMachine::SetItems, 0},
    {'u', "SETITEMS", &PickleMachine::SetItems, 1},
    {0x90, "ADDITEMS", &PickleMachine::AddItems, 0},
    {'c', "GLOBAL", &PickleMachine::Global, 0},
    {0x93, "STACK_GLOBAL", &PickleMachine::StackGlobal, 0},
    {'R', "REDUCE", &PickleMachine::Reduce, 0},
    {0x81, "NEWOBJ", &PickleMachine::NewObject, 0},
    {'b', "BUILD", &PickleMachine::Build, 0},
    {'Q', "BINPERSID", &PickleMachine::Persistent, 0},
    {'q', "BINPUT", &PickleMachine::Put, 1},
    {'r', "LONG_BINPUT", &PickleMachine::Put, 4},
    {0x94, "MEMOIZE", &PickleMachine::Put, 0},
    {'h', "BINGET", &PickleMachine::Get, 1},
    {'j', "LONG_BINGET", &PickleMachine::Get, 4},
    // Listed so that a refusal can name them.
    {'i', "INST", nullptr, 0},
    {'o', "OBJ", nullptr, 0},
    {0x92, "NEWOBJ_EX", nullptr, 0},
    {0x82, "EXT1", nullptr, 0},
    {0x83, "EXT2", nullptr, 0},
    {0x84, "EXT4", nullptr, 0},
    {0x97, "NEXT_BUFFER", nullptr, 0},
    {0x98, "READONLY_BUFFER", nullptr, 0},
    {'P', "PERSID", nullptr, 0},
    {'I', "INT", nullptr, 0},
    {'L', "LONG", nullptr, 0},
    {'F', "FLOAT", nullptr, 0},
    {'S', "STRING", nullptr, 0},
    {'V', "UNICODE", nullptr, 0},
    {'p', "PUT", nullptr, 0},
    {'g', "GET", nullptr, 0}};

absl::StatusOr<Pickle> PickleMachine::Run() {
  if (bytes_.empty() || static_cast<uint8_t>(bytes_[0]) != 0x80) {
    return Bad(0, "not a pickle of protocol 2 or later");
  }
  while (!stopped_) HILUM_RETURN_IF_ERROR(Step());
  pickle_.size_ = at_;
  return std::move(pickle_);
}

absl::Status PickleMachine::Step() {
  opcode_ = at_;
  if (opcode_ >= kMaxBytes) return TooMuch("it is longer than 32 MiB");
  absl::string_view byte;
  HILUM_RETURN_IF_ERROR(Take(1, byte));
  const uint8_t code = static_cast<uint8_t>(byte[0]);
  if (code == '.') {
    stopped_ = true;
    if (!marks_.empty()) return Bad("ends within a mark");
    if (at_ < frame_end_) return Bad("ends within a frame");
    return Pop(pickle_.root_);
  }
  for (const Opcode& opcode : kOpcodes) {
    if (opcode.code != code) continue;
    if (opcode.run != nullptr) return (this->*opcode.run)(opcode.argument);
    return Bad(absl::StrCat("opcode ", opcode.name, " is not taken"));
  }
  return Bad(absl::StrFormat("0x%02x is no opcode", code));
}

absl::Status PickleMachine::Bad(absl::string_view what) const {
  return Bad(opcode_, what);
}

absl::Status PickleMachine::Bad(uint64_t offset, absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat("pickle, byte ", offset, ": ", what));
}

absl::Status PickleMachine::TooMuch(absl::string_view what) const {
  return absl::ResourceExhaustedError(
      absl::StrCat("pickle, byte ", opcode_, ": ", what));
}

std::string PickleMachine::NameOf(PickleRef ref) const {
  const PickleNode& node = pickle_.nodes_[ref];
  if (node.kind != Kind::kGlobal) return "something without a name";
  return absl::CHexEscape(
      absl::StrCat(node.module.substr(0, 100), ".", node.text.substr(0, 100)));
}

std::string PickleMachine::Described(PickleRef ref) const {
  const PickleNode& node = pickle_.nodes_[ref];
  if (node.kind != Kind::kObject && node.kind != Kind::kCall) {
    return "a value";
  }
  return absl::StrCat("a ", NameOf(node.items[0]));
}

absl::Status PickleMachine::Take(uint64_t size, absl::string_view& taken) {
  if (size > bytes_.size() - at_) {
    return Bad(absl::StrCat("wants ", size, " bytes, ", bytes_.size() - at_,
                            " are left"));
  }
  taken = bytes_.substr(at_, size);
  at_ += size;
  return absl::OkStatus();
}

absl::Status PickleMachine::TakeNumber(int size, uint64_t& number) {
  absl::string_view taken;
  HILUM_RETURN_IF_ERROR(Take(static_cast<uint64_t>(size), taken));
  number = 0;
  for (size_t i = taken.size(); i-- > 0;) {
    number = number << 8 | static_cast<uint8_t>(taken[i]);
  }
  return absl::OkStatus();
}

absl::Status PickleMachine::TakeCounted(int size, absl::string_view& taken) {
  uint64_t length = 0;
  HILUM_RETURN_IF_ERROR(TakeNumber(size, length));
  return Take(length, taken);
}

absl::Status PickleMachine::TakeLine(absl::string_view& line) {
  const size_t end = bytes_.find('\n', at_);
  if (end == absl::string_view::npos) return Bad("a name without an end");
  line = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return absl::OkStatus();
}

absl::Status PickleMachine::Top(PickleRef& ref) {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) return Bad("takes from an empty stack");
  ref = stack_.back();
  return absl::OkStatus();
}

absl::Status PickleMachine::Pop(PickleRef& ref) {
  HILUM_RETURN_IF_ERROR(Top(ref));
  stack_.pop_back();
  return absl::OkStatus();
}

absl::Status PickleMachine::PopToMark(Refs& refs) {
  if (marks_.empty()) return Bad("no mark");
  refs.assign(stack_.begin() + static_cast<int64_t>(marks_.back()),
              stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return absl::OkStatus();
}

absl::Status PickleMachine::Push(PickleRef ref) {
  stack_.push_back(ref);
  return absl::OkStatus();
}

absl::Status PickleMachine::PushNode(PickleNode node) {
  if (pickle_.nodes_.size() >= kMaxNodes) {
    return TooMuch("more than a million values");
  }
  const PickleRef ref = static_cast<PickleRef>(pickle_.nodes_.size());
  Refs items;
  items.swap(node.items);
  node.offset = opcode_;
  pickle_.nodes_.push_back(std::move(node));
  HILUM_RETURN_IF_ERROR(Hold(ref, items));
  return Push(ref);
}

// Counts the values that others hold: a second reference is cheap, but a short
// pickle could copy a long list over and over.
absl::Status PickleMachine::Hold(PickleRef holder, const Refs& refs) {
  held_ += refs.size();
  if (held_ > kMaxHeld) return TooMuch("values hold too many others");
  PickleNode& node = pickle_.nodes_[holder];
  for (PickleRef ref : refs) {
    node.depth = std::max(node.depth, pickle_.nodes_[ref].depth + 1);
  }
  if (node.depth > kMaxDepth) return TooMuch("nested over 500 deep");
  node.items.insert(node.items.end(), refs.begin(), refs.end());
  return absl::OkStatus();
}

absl::Status PickleMachine::Mark(int) {
  if (marks_.size() >= kMaxMarks) return TooMuch("over a thousand marks open");
  marks_.push_back(stack_.size());
  return absl::OkStatus();
}

absl::Status PickleMachine::Put(int index_bytes) {
  uint64_t index = memo_.size();
  if (index_bytes > 0) HILUM_RETURN_IF_ERROR(TakeNumber(index_bytes, index));
  if (index >= kMaxNodes) {
    return TooMuch(absl::StrCat("memo index ", index, ", over a million"));
  }
  if (index >= memo_.size()) memo_.resize(index + 1, kNoRef);
  return Top(memo_[index]);
}

absl::Status PickleMachine::Get(int index_bytes) {
  uint64_t index = 0;
  HILUM_RETURN_IF_ERROR(TakeNumber(index_bytes, index));
  if (index >= memo_.size() || memo_[index] == kNoRef) {
    return Bad(absl::StrCat("memo index ", index, " was never put"));
  }
  return Push(memo_[index]);
}

}  // namespace hilum
