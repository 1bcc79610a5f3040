// SPDX-License-Identifier: Apache-2.0
// The opcodes that make values.
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/pickle_globals.h"
#include "common/model/pickle_machine.h"

namespace hilum {

absl::Status PickleMachine::Proto(int) {
  uint64_t version = 0;
  HILUM_RETURN_IF_ERROR(TakeNumber(1, version));
  if (version >= 2 && version <= 5) return absl::OkStatus();
  return Bad(absl::StrCat("protocol ", version, "; 2 to 5 are taken"));
}

absl::Status PickleMachine::Frame(int) {
  uint64_t length = 0;
  HILUM_RETURN_IF_ERROR(TakeNumber(8, length));
  if (length > bytes_.size() - at_) {
    return Bad(absl::StrCat("a frame of ", length, " bytes, ",
                            bytes_.size() - at_, " are left"));
  }
  if (opcode_ < frame_end_) return Bad("a frame within another");
  frame_end_ = at_ + length;
  return absl::OkStatus();
}

absl::Status PickleMachine::Drop(int to_mark) {
  Refs refs;
  PickleRef ref = 0;
  return to_mark != 0 ? PopToMark(refs) : Pop(ref);
}

absl::Status PickleMachine::Dup(int) {
  PickleRef ref = 0;
  HILUM_RETURN_IF_ERROR(Top(ref));
  return Push(ref);
}

absl::Status PickleMachine::Constant(int value) {
  if (value < 0) return PushNode({.kind = Kind::kNone});
  return PushNode({.kind = Kind::kBool, .integer = value});
}

absl::Status PickleMachine::Integer(int bytes) {
  uint64_t number = 0;
  HILUM_RETURN_IF_ERROR(TakeNumber(bytes < 0 ? -bytes : bytes, number));
  int64_t value = static_cast<int64_t>(number);
  if (bytes < 0) value = static_cast<int32_t>(number);
  return PushNode({.kind = Kind::kInt, .integer = value});
}

absl::Status PickleMachine::Long(int length_bytes) {
  absl::string_view text;
  HILUM_RETURN_IF_ERROR(TakeCounted(length_bytes, text));
  if (text.size() > 8) return PushNode({.kind = Kind::kLong, .text = text});
  uint64_t number = !text.empty() && (text.back() & 0x80) != 0 ? ~0ull : 0;
  for (size_t i = text.size(); i-- > 0;) {
    number = number << 8 | static_cast<uint8_t>(text[i]);
  }
  return PushNode(
      {.kind = Kind::kInt, .integer = static_cast<int64_t>(number)});
}

absl::Status PickleMachine::Float(int) {
  absl::string_view taken;
  HILUM_RETURN_IF_ERROR(Take(8, taken));
  uint64_t bits = 0;  // the only big-endian number here
  for (char byte : taken) bits = bits << 8 | static_cast<uint8_t>(byte);
  return PushNode({.kind = Kind::kFloat, .real = std::bit_cast<double>(bits)});
}

absl::Status PickleMachine::Text(int length_bytes) {
  absl::string_view text;
  HILUM_RETURN_IF_ERROR(TakeCounted(length_bytes, text));
  return PushNode({.kind = Kind::kText, .text = text});
}

absl::Status PickleMachine::Bytes(int length_bytes) {
  absl::string_view text;
  HILUM_RETURN_IF_ERROR(TakeCounted(length_bytes, text));
  return PushNode({.kind = Kind::kBytes, .text = text});
}

absl::Status PickleMachine::Empty(int kind) {
  return PushNode({.kind = static_cast<Kind>(kind)});
}

absl::Status PickleMachine::Tuple(int items) {
  Refs refs(static_cast<size_t>(items));
  for (size_t i = refs.size(); i-- > 0;) HILUM_RETURN_IF_ERROR(Pop(refs[i]));
  return PushNode({.kind = Kind::kTuple, .items = std::move(refs)});
}

absl::Status PickleMachine::Gather(int kind) {
  Refs refs;
  HILUM_RETURN_IF_ERROR(PopToMark(refs));
  if (static_cast<Kind>(kind) == Kind::kDict && refs.size() % 2 != 0) {
    return Bad("a key without a value");
  }
  return PushNode({.kind = static_cast<Kind>(kind), .items = std::move(refs)});
}

// Turns a record that is given items into a list, dict or set and drops the
// arguments it was made with: its class is made from such a type, as yacs'
// CfgNode is. Returns true also for a value that already is one.
bool PickleMachine::TakesItems(PickleRef ref, Kind kind) {
  PickleNode& node = pickle_.nodes_[ref];
  if (node.kind == kind) return true;
  if (node.kind != Kind::kObject || node.items.size() != 2) return false;
  node.kind = kind;
  node.items.clear();
  return true;
}

absl::Status PickleMachine::Append(int many) {
  Refs refs(1);
  HILUM_RETURN_IF_ERROR(many != 0 ? PopToMark(refs) : Pop(refs[0]));
  PickleRef list = 0;
  HILUM_RETURN_IF_ERROR(Top(list));
  if (!TakesItems(list, Kind::kList)) {
    return Bad(
        absl::StrCat("appends to ", Described(list), ", which is no list"));
  }
  return Hold(list, refs);
}

absl::Status PickleMachine::SetItems(int many) {
  Refs refs(2);
  if (many != 0) {
    HILUM_RETURN_IF_ERROR(PopToMark(refs));
  } else {
    HILUM_RETURN_IF_ERROR(Pop(refs[1]));
    HILUM_RETURN_IF_ERROR(Pop(refs[0]));
  }
  if (refs.size() % 2 != 0) return Bad("a key without a value");
  PickleRef dict = 0;
  HILUM_RETURN_IF_ERROR(Top(dict));
  if (!TakesItems(dict, Kind::kDict)) {
    return Bad(
        absl::StrCat("sets items of ", Described(dict), ", which is no dict"));
  }
  return Hold(dict, refs);
}

absl::Status PickleMachine::AddItems(int) {
  Refs refs;
  HILUM_RETURN_IF_ERROR(PopToMark(refs));
  PickleRef set = 0;
  HILUM_RETURN_IF_ERROR(Top(set));
  if (!TakesItems(set, Kind::kSet)) {
    return Bad(
        absl::StrCat("adds items to ", Described(set), ", which is no set"));
  }
  return Hold(set, refs);
}

absl::Status PickleMachine::Global(int) {
  absl::string_view module, name;
  HILUM_RETURN_IF_ERROR(TakeLine(module));
  HILUM_RETURN_IF_ERROR(TakeLine(name));
  return PushGlobal(module, name);
}

absl::Status PickleMachine::StackGlobal(int) {
  PickleRef name = 0, module = 0;
  HILUM_RETURN_IF_ERROR(Pop(name));
  HILUM_RETURN_IF_ERROR(Pop(module));
  if (pickle_.nodes_[name].kind != Kind::kText ||
      pickle_.nodes_[module].kind != Kind::kText) {
    return Bad("a global whose name is no text");
  }
  return PushGlobal(pickle_.nodes_[module].text, pickle_.nodes_[name].text);
}

absl::Status PickleMachine::PushGlobal(absl::string_view module,
                                       absl::string_view name) {
  HILUM_RETURN_IF_ERROR(
      PushNode({.kind = Kind::kGlobal, .module = module, .text = name}));
  if (UseOfGlobal(module, name) != GlobalUse::kRefused) {
    return absl::OkStatus();
  }
  return Bad(absl::StrCat("names ", NameOf(stack_.back()),
                          ", which weights have no need of; nothing was run"));
}

// Returns the value of a call to a global on the list.
absl::Status PickleMachine::CallOf(PickleRef callee, PickleRef arguments,
                                   PickleNode& call) {
  const PickleNode& global = pickle_.nodes_[callee];
  const PickleNode& given = pickle_.nodes_[arguments];
  const GlobalUse use = UseOfGlobal(global.module, global.text);
  if (given.kind != Kind::kTuple) return Bad("arguments that are no tuple");
  if (use == GlobalUse::kDict) {
    call.kind = Kind::kDict;
    return PairsOf(given, call.items);
  }
  if (use == GlobalUse::kSet) {
    call.kind = Kind::kSet;
    if (given.items.empty()) return absl::OkStatus();
    call.items = pickle_.nodes_[given.items[0]].items;
    return absl::OkStatus();
  }
  call.kind = Kind::kCall;
  call.items = {callee, arguments};
  return absl::OkStatus();
}

absl::Status PickleMachine::PairsOf(const PickleNode& arguments, Refs& pairs) {
  if (arguments.items.empty()) return absl::OkStatus();
  const PickleNode& given = pickle_.nodes_[arguments.items[0]];
  if (given.kind == Kind::kDict) pairs = given.items;
  if (given.kind != Kind::kList && given.kind != Kind::kTuple) {
    return absl::OkStatus();  // a defaultdict's class
  }
  for (PickleRef ref : given.items) {
    const PickleNode& pair = pickle_.nodes_[ref];
    if ((pair.kind != Kind::kList && pair.kind != Kind::kTuple) ||
        pair.items.size() != 2) {
      return Bad("a dict of what are no pairs");
    }
    pairs.insert(pairs.end(), pair.items.begin(), pair.items.end());
  }
  return absl::OkStatus();
}

// Returns whether a call asks a class for its member: Python 3.11 writes
// members of enumerations this way.
bool PickleMachine::IsMember(PickleRef callee, PickleRef arguments) const {
  const PickleNode& given = pickle_.nodes_[arguments];
  const PickleNode& getattr = pickle_.nodes_[callee];
  if (!getattr.IsGlobal("builtins", "getattr") &&
      !getattr.IsGlobal("__builtin__", "getattr")) {
    return false;
  }
  return given.kind == Kind::kTuple && given.items.size() == 2 &&
         pickle_.nodes_[given.items[0]].kind == Kind::kGlobal &&
         pickle_.nodes_[given.items[1]].kind == Kind::kText;
}

absl::Status PickleMachine::Reduce(int) {
  PickleRef arguments = 0, callee = 0;
  HILUM_RETURN_IF_ERROR(Pop(arguments));
  HILUM_RETURN_IF_ERROR(Pop(callee));
  const PickleNode& global = pickle_.nodes_[callee];
  const bool named = global.kind == Kind::kGlobal;
  const GlobalUse use =
      named ? UseOfGlobal(global.module, global.text) : GlobalUse::kRefused;
  if (use == GlobalUse::kInert || IsMember(callee, arguments)) {
    return PushNode({.kind = Kind::kObject, .items = {callee, arguments}});
  }
  if (!named || use == GlobalUse::kRecord || use == GlobalUse::kRefused) {
    return Bad(absl::StrCat("calls ", NameOf(callee),
                            ", which is not on the list of those that weights "
                            "need; nothing was run"));
  }
  PickleNode call;
  HILUM_RETURN_IF_ERROR(CallOf(callee, arguments, call));
  return PushNode(std::move(call));
}

// Makes a record. Its class is only a name, or a persistent id with the name.
absl::Status PickleMachine::NewObject(int) {
  PickleRef arguments = 0, type = 0;
  HILUM_RETURN_IF_ERROR(Pop(arguments));
  HILUM_RETURN_IF_ERROR(Pop(type));
  const PickleNode& global = pickle_.nodes_[type];
  PickleNode object{.kind = Kind::kObject, .items = {type, arguments}};
  if (global.kind == Kind::kGlobal) {
    const GlobalUse use = UseOfGlobal(global.module, global.text);
    if (use != GlobalUse::kRecord && use != GlobalUse::kInert) {
      HILUM_RETURN_IF_ERROR(CallOf(type, arguments, object));
    }
  } else if (global.kind != Kind::kPersistent) {
    return Bad("a record whose class is no class");
  }
  return PushNode(std::move(object));
}

// Keeps a record's state in any form: its __dict__, or the argument for a
// __setstate__ of its class. Ignores the state of lists, dicts and sets beside
// their items (the _metadata of a state dict), which says nothing about
// weights.
absl::Status PickleMachine::Build(int) {
  PickleRef state = 0, target = 0;
  HILUM_RETURN_IF_ERROR(Pop(state));
  HILUM_RETURN_IF_ERROR(Top(target));
  PickleNode& object = pickle_.nodes_[target];
  if (object.kind == Kind::kCall || object.kind == Kind::kDict ||
      object.kind == Kind::kList || object.kind == Kind::kSet) {
    return absl::OkStatus();
  }
  if (object.kind != Kind::kObject) {
    return Bad("gives a state to what has none");
  }
  if (object.items.size() != 2) {
    return Bad(absl::StrCat("a ", NameOf(object.items[0]), " of two states"));
  }
  return Hold(target, {state});
}

absl::Status PickleMachine::Persistent(int) {
  PickleRef id = 0;
  HILUM_RETURN_IF_ERROR(Pop(id));
  return PushNode({.kind = Kind::kPersistent, .items = {id}});
}

}  // namespace hilum
